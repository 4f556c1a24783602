import PubSub
public import WebSocketProtocol

/// How a WebSocket is kept, or used from elsewhere: from any thread and any task, also after it is closed.
///
/// It has every operation of `WebSocket`. On the socket's own loop they take effect at once. From elsewhere they are
/// handed to that loop, in the order in which one thread calls them, and a result says what is known here: `.dropped`
/// once the socket is closed, `.backpressure` while it is behind. Such a call costs an allocation, a copy of what is
/// sent, and a post to that loop. What only the loop knows is asked with `await`: a turn of that loop, and an
/// allocation.
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

    /// Runs `body` with the socket, on its loop, and returns its value; nil if the socket is closed by then. It takes
    /// its place behind what the caller has sent before, and must not block. A cancellation does not end the wait,
    /// which takes a turn of the loop.
    /// - Throws: what `body` throws, after the `error` handler has heard of it: like any other code that runs with the
    ///   socket, it closes it with 1011, unless `error` closes it otherwise. Catch within `body` what is no fault.
    @discardableResult
    public func perform<Result: Sendable, Failure: Error>(
        _ body: sending @escaping (borrowing WebSocket<ConnectionData>) throws(Failure) -> Result
    ) async throws(Failure) -> Result? {
        // Safe: the closure was sent here, goes on to the loop, and is called there once.
        nonisolated(unsafe) let body = body
        let outcome: Swift.Result<Result?, Failure> = await withCheckedContinuation { continuation in
            lifeline.runOrFail { session in
                guard let session else { return continuation.resume(returning: .success(nil)) }
                do throws(Failure) {
                    continuation.resume(returning: .success(try unsafe body(WebSocket(session))))
                } catch {
                    session.handlerFailed(error)
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try outcome.get()
    }
}

extension SocketLifeline {
    /// Asks the socket something on its loop; nil once it is closed.
    func ask<Answer: Sendable>(_ question: @escaping @Sendable (Session) -> Answer) async -> Answer? {
        await withCheckedContinuation { continuation in
            runOrFail { continuation.resume(returning: $0.map(question)) }
        }
    }

    /// Runs `body` on the socket's loop; not at all if the socket is closed.
    func run(_ body: @escaping @Sendable (Session) -> Void) { runOrFail { if let session = $0 { body(session) } } }

    /// Runs `body` with the socket on its loop, or with nil, here or there, if the socket is closed.
    func runOrFail(_ body: @escaping @Sendable (Session?) -> Void) {
        guard current != .closed else { return body(nil) }
        let (slot, serial) = (slot, serial)
        core.run(LoopJob { loop in body(loop?.sessions.find(slot: slot, serial: serial)) }, on: loop)
    }
}
