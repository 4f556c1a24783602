// News: `swift run news PASSWORD`. An editor logs in, gets a cookie, and publishes by HTTP. Readers hear it on a
// WebSocket, and who was away goes on behind what it has read; Examples/Follow is such a reader.
//
//     curl -c cookies -d PASSWORD http://127.0.0.1:3000/login
//     curl -b cookies -d 'It works' http://127.0.0.1:3000/news
import Ringcast
import RingcastJSON
import Synchronization

struct Item: Codable { let text: String }

/// Who is logged in. Any loop asks it, for as long as a set takes.
final class Sessions: Sendable {
    private let ids = Mutex<Set<String>>([])

    func begin() -> String {
        let id = String(UInt128.random(in: 0 ... .max), radix: 36)
        ids.withLock { _ = $0.insert(id) }
        return id
    }

    func has(_ id: String?) -> Bool { id.map { id in ids.withLock { $0.contains(id) } } ?? false }
}

let readers = WebSocketHandlers<Position?>(open: { ws in
    // A hundred items are kept. Who was away for longer is told, so that it does not take what comes for everything.
    if ws.subscribe(to: "news", after: ws.data) == .gap { ws.send(#"{"gap":true}"#) }
})

guard let password = CommandLine.arguments.dropFirst().first else { fatalError("usage: news PASSWORD") }
let sessions = Sessions()
var routes = Routes()
routes.post("/login") { request in
    guard request.string == password else { return .response(.unauthorized) }
    return .response(.noContent).setting(SetCookie("session", sessions.begin(), isSecure: request.isSecure)!)
}
routes.post("/news") { request in
    guard sessions.has(request.cookie("session")) else { return .response(.unauthorized) }
    try request.server.publish(json: Item(text: request.string), to: "news")
    return .response(.noContent)
}
routes.webSocket("/news", readers) { request in request.query("after").flatMap { Position($0) } }

let rules: [TopicRule] = [.matching("news", history: .init(messages: 100), stamping: .json)]
let server = try Server(configuration: .init(topics: rules), routes: routes)
print("news on ws://127.0.0.1:\(server.port)/news")
try await server.run()
