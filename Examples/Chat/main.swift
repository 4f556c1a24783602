// A chat server: `swift run chat`, then a WebSocket client on ws://127.0.0.1:3000/chat?name=Ann, as many as you like.
import Ringcast

struct Guest {
    let name: String
}

let chat = WebSocketHandlers<Guest>(
    open: { ws in
        ws.subscribe(to: "lobby")
        ws.publish("\(ws.data.name) joined", to: "lobby")
    },
    message: { ws, message in ws.publish("\(ws.data.name): \(message.string)", to: "lobby") },
    close: { ws, _, _ in ws.publish("\(ws.data.name) left", to: "lobby") })

// With one order, nobody sees the answer before the question.
let rules: [TopicRule] = [.matching("lobby", order: .total)]
var routes = Routes()
routes.webSocket("/chat", chat) { request in
    guard let name = request.query("name") else { throw Reply.response(.badRequest, "who are you?\n") }
    return Guest(name: name)
}
let server = try Server(configuration: .init(originPolicy: .any, topics: rules), routes: routes)
print("chat on ws://127.0.0.1:\(server.port)/chat?name=NAME")
try await server.run()
