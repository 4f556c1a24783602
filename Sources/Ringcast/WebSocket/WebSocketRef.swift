import PubSub
public import WebSocketProtocol

/// How a WebSocket is kept, or used from elsewhere: from any thread and any task, also after it is closed.
///
/// On the socket's own loop its operations take effect at once. From elsewhere they are handed to that loop, in order,
/// and the result says what is known here: `.dropped` once the socket is closed, `.backpressure` while it is behind.
public struct WebSocketRef<ConnectionData>: Sendable, Hashable {
    let lifeline: SocketLifeline

    init(_ lifeline: SocketLifeline) { self.lifeline = lifeline }

    /// Whether the socket is closed. An open one may be closed at any moment.
    public var isClosed: Bool { lifeline.current == .closed }

    /// Whether both refer to one socket.
    public static func == (left: Self, right: Self) -> Bool { left.lifeline === right.lifeline }

    /// Hashes the socket's identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(lifeline)) }

    /// Starts the closing handshake; see `WebSocket.close`.
    public func close(_ code: CloseCode = .normalClosure, reason: String = "") {
        lifeline.run { $0.close(code, reason: reason) }
    }

    /// Ends the connection without a Close frame; see `WebSocket.terminate`.
    public func terminate() { lifeline.run { $0.terminate() } }

    /// Runs `body` with the socket, on its loop, and returns its value; nil if the socket is closed by then.
    @discardableResult
    public func perform<Result: Sendable>(
        _ body: sending @escaping (borrowing WebSocket<ConnectionData>) -> Result
    ) async -> Result? {
        // Safe: the closure was sent here, goes on to the loop, and is called there once.
        nonisolated(unsafe) let body = body
        return await withCheckedContinuation { continuation in
            lifeline.runOrFail { session in
                continuation.resume(returning: session.map { unsafe body(WebSocket($0)) })
            }
        }
    }
}

extension SocketLifeline {
    /// Runs `body` on the socket's loop; not at all if the socket is closed.
    func run(_ body: @escaping @Sendable (Session) -> Void) { runOrFail { if let session = $0 { body(session) } } }

    /// Runs `body` with the socket on its loop, or with nil, here or there, if the socket is closed.
    func runOrFail(_ body: @escaping @Sendable (Session?) -> Void) {
        guard current != .closed else { return body(nil) }
        let (slot, serial) = (slot, serial)
        core.run(LoopJob { loop in body(loop?.sessions.find(slot: slot, serial: serial)) }, on: loop)
    }
}
