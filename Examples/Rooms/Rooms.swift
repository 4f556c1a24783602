import Ringcast
import RingcastJSON

struct Member {
    let name, room: String
    var topic: Topic { "room/\(room)" }
}

/// What clients hear.
struct News: Codable {
    struct Line: Codable { let name, text: String }
    var members: [String]?
    var lines: [Line] = []
}

/// Rooms remember by themselves what was said last and who is there; who is told in a topic beside them.
extension ServerConfiguration {
    static func rooms(port: Int? = nil) -> Self {
        .init(port: port, topics: [.matching("room/*", history: .init(messages: 50))]) { server, room, _ in
            _ = try? server.publish(json: News(members: server.members(of: room)), to: .members(of: room))
        }
    }
}

extension Topic { static func members(of room: Topic) -> Topic { "members of \(room)" } }
extension Server { func members(of room: Topic) -> [String] { presence(of: room).map(\.id).sorted() } }

/// Who has logged in. An actor, as the client of a database would be: who asks it waits.
actor Accounts {
    private var names: [String: String] = [:]

    func name(of session: String?) -> String? { session.flatMap { names[$0] } }

    func logIn(_ name: String) -> String {
        let session = String(UInt128.random(in: 0 ... .max), radix: 36)
        names[session] = name
        return session
    }
}
