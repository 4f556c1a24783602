import HTTPTypes
import Reactor
import WebSocketProtocol

extension SocketLoop {
    /// Makes a session, and gives it its place. `initializeData` writes the data that its handlers expect.
    func makeSession(
        of kind: SocketKind, on connection: Connection, role: Role, path: String,
        initializeData: (UnsafeMutableRawPointer) -> Void
    ) -> Session {
        let (slot, serial) = sessions.reserve()
        let session = unsafe Session.allocate(
            on: connection, kind: kind, role: role, serial: serial, slot: slot, path: paths.keep(path), now: now,
            initializeData: initializeData)
        sessions.insert(session)
        return session
    }
}

/// What a handshake leaves for its socket's `open` handler. It is not kept beyond that, for no socket pays for it.
struct OpeningHandshake {
    let serial: UInt64
    /// The fields of the server's answer, on a client's side.
    let answer: HTTPFields
}

extension DisconnectReason {
    /// The reason that the close handler gets when no Close frame came.
    var text: String {
        switch self {
        case .stalled: "write stall"
        default: ""
        }
    }
}
