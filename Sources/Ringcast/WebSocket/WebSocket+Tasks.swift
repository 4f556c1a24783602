import Reactor

extension WebSocket {
    /// What to keep of this socket: usable from any thread, as long as one likes. The same for every call.
    public var reference: WebSocketRef<ConnectionData> { WebSocketRef(session.lifeline) }

    /// Starts asynchronous work for this connection. It runs on the connection's loop, and after every `await` it is
    /// there again.
    public func task(_ body: sending @escaping (WebSocketRef<ConnectionData>) async -> Void) {
        let reference = reference
        Task(executorPreference: session.loop.eventLoop.executor) { await body(reference) }
    }
}
