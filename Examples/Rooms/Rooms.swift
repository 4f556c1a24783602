import Synchronization

struct Member { let name, room: String }
struct Line: Codable { let number: Int, name, text: String }

/// What clients hear. It is numbered: who enters while others speak, on whichever loop, may hear of a line twice.
struct News: Codable {
    let number: Int
    var members: [String]?
    var lines: [Line] = []
}

/// Who is there by which socket, and what was said last.
struct Room {
    var number = 0, sockets: [String: String] = [:], lines: [Line] = []
    var members: [String] { Set(sockets.values).sorted() }
}

/// All rooms in which somebody is. Loops change them, each for the length of a call.
final class Rooms: Sendable {
    private let rooms = Mutex<[String: Room]>([:])
    var members: [String: [String]] { rooms.withLock { $0.mapValues(\.members) } }

    func change(_ name: String, _ body: (inout Room) -> Void) -> Room {
        rooms.withLock { rooms in
            var room = rooms.removeValue(forKey: name) ?? Room()
            room.number += 1
            body(&room)
            if !room.sockets.isEmpty { rooms[name] = room }
            return room
        }
    }
}

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
