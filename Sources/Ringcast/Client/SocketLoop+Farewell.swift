import Reactor

/// Who waits for the end of a client's connection, and until when.
struct Farewell {
    /// When the wait ends, in the loop's milliseconds.
    let deadline: UInt64
    let body: @Sendable () -> Void
}

/// The end of a socket is not the end of its connection: the Close that answers the peer's is only queued then. A task
/// that goes on at once may end the process, and what the loop has not written is never written; so it goes on when the
/// connection is over.
extension SocketLoop {
    /// Calls `body` once: when the connection is over, or after so many milliseconds if it is not by then. The body
    /// that this was called with before for this connection is forgotten.
    func whenOver(_ connection: Connection, within patience: UInt64, _ body: @escaping @Sendable () -> Void) {
        farewells[connection.id] = Farewell(deadline: now + patience, body: body)
        eventLoop.wakeHandler(at: now + patience)
    }

    /// Calls whoever waits for the end of the connection, which is over.
    func sayFarewell(to connection: Connection) {
        guard !farewells.isEmpty else { return }
        farewells.removeValue(forKey: connection.id)?.body()
    }

    /// Calls whoever has waited long enough.
    func sayDueFarewells() {
        for (id, farewell) in farewells {
            if now >= farewell.deadline {
                farewells[id] = nil
                farewell.body()
            } else {
                eventLoop.wakeHandler(at: farewell.deadline)
            }
        }
    }

    /// The closing handshake is over: it is the server that ends the connection first (RFC 6455 §7.1.1), so that the
    /// state which TCP keeps behind a connection stays with it, and a client has its ports back.
    func awaitServersEnd(of connection: Connection) { connection.setDeadline(now + Self.serversEndTime) }

    /// How long a server may take for that (ms).
    private static var serversEndTime: UInt64 { 2_000 }
}
