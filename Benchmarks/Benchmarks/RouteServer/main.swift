// A server of echo sockets at /echo: route-server PORT ROUTES. With 0 routes a closure looks at the path itself; else
// it is one of so many routes. `Scripts/bench/routes` measures what that costs a connection.
import Ringcast

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard numbers.count == 2 else { fatalError("usage: route-server PORT ROUTES") }
let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })
let configuration = ServerConfiguration(
    hostname: "127.0.0.1", port: numbers[0], loops: .count(1), pinsThreads: false, originPolicy: .any)

func makeServer() throws -> Server {
    guard numbers[1] > 0 else {
        return try Server(configuration: configuration) { request in
            request.path == "/echo" ? .upgrade(to: echo) : .response(.notFound)
        }
    }
    var routes = Routes()
    for number in 0..<(numbers[1] - 1) / 4 {
        routes.get("/api/resource-\(number)") { _ in .response(.ok) }
        routes.get("/api/resource-\(number)/:id") { _ in .response(.ok) }
        routes.post("/api/resource-\(number)/:id/members") { _ in .response(.ok) }
        routes.webSocket("/live/resource-\(number)/*", echo)
    }
    routes.webSocket("/echo", echo)
    return try Server(configuration: configuration, routes: routes)
}

try await makeServer().run()
