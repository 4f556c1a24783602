// A chat on several machines, over Redis or Valkey. Two nodes on this one:
//
//     PORT=3000 swift run cluster-chat redis://127.0.0.1:6379
//     PORT=3001 swift run cluster-chat redis://127.0.0.1:6379
//
// Who is on ws://127.0.0.1:3000/chat?name=Ann and who is on ws://127.0.0.1:3001/chat?name=Bob hear each other.
import Ringcast
import RingcastCluster

struct Guest { let name: String }

// A publish reaches the subscribers of every node; nothing here knows of nodes.
let chat = WebSocketHandlers<Guest>(
    open: { ws in ws.subscribe(to: "lobby", as: ws.data.name) },
    message: { ws, message in ws.publish("\(ws.data.name): \(message.string)", to: "lobby") })

var routes = Routes()
routes.webSocket("/chat", chat) { request in
    guard let name = request.query("name") else { throw Reply.response(.badRequest, "who are you?\n") }
    return Guest(name: name)
}
// With `await` all nodes are asked who is there, which takes a round trip.
routes.get("/guests", within: .seconds(5)) { request in
    let guests = try await request.server.presence(of: "lobby")
    return .response(.ok, guests.map { "\($0.id)\n" }.sorted().joined())
}

let engine = CommandLine.arguments.dropFirst().first ?? "redis://127.0.0.1:6379"
let server = try Server(configuration: .init(originPolicy: .any, cluster: .redis(engine)), routes: routes)
print("chat on ws://127.0.0.1:\(server.port)/chat?name=NAME")
try await server.run()
