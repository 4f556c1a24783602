// A live dashboard: `swift run dashboard`, then http://127.0.0.1:3000. The page plots figures, which come as
// server-sent events. The server posts one about itself every second, and anybody may post others:
// curl -d 21.5 http://127.0.0.1:3000/figures/temperature
import Ringcast
import RingcastJSON

struct Figure: Codable {
    let name: String
    let value: Double
}

// A page that was away for a moment gets what it has missed: its browser says which event was the last one.
let rules: [TopicRule] = [.matching("figures", history: .init(messages: 600))]
var routes = Routes()
routes.get("/") { _ in .response(.ok, page, headers: [.contentType: "text/html; charset=utf-8"]) }
routes.get("/figures") { _ in .events(of: "figures") }
routes.post("/figures/:name") { request in
    guard let value = Double(request.string), value.isFinite else { return .response(.badRequest, "no number\n") }
    try request.server.publish(json: Figure(name: request.parameter("name")!, value: value), to: "figures")
    return .response(.noContent)
}

let server = try Server(configuration: .init(topics: rules), routes: routes)
print("dashboard on http://127.0.0.1:\(server.port)")
try await withThrowingTaskGroup { group in
    group.addTask { try await server.run() }
    group.addTask {
        var before = server.totals.loopTurns
        while true {
            try await Task.sleep(for: .seconds(1))
            let turns = server.totals.loopTurns
            try server.publish(json: Figure(name: "turns a second", value: Double(turns - before)), to: "figures")
            before = turns
        }
    }
    try await group.next()
}
