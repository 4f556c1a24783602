import Reactor

/// A loop of servers' sockets is one of clients' as well: what tells them apart is how their connection began, and one
/// flag of their session.
extension ServerLoop {
    /// Begins a client's connection.
    func connect(
        _ id: UInt64, _ request: ClientRequest, _ upgrade: Upgrade, tls: Result<TLSClient, WebSocketClientError>?,
        failed: @escaping @Sendable (WebSocketClientError) -> Void
    ) {
        guard !isStopping else { return loop.executor.execute { failed(.loopsStopped) } }
        let attempt = ConnectionAttempt(id: id, request: request, upgrade: upgrade, tls: tls, on: self, failed: failed)
        attempts[id] = attempt
        attempt.begin()
    }

    func connected(_ connection: Connection) {
        guard case .outbound(let attempt) = ConnectionRole(connection) else { return connection.abort() }
        attempt.connected(connection)
    }

    func secured(_ connection: Connection) {
        if case .outbound(let attempt) = ConnectionRole(connection) { attempt.sendRequest(on: connection) }
    }

    func securingFailed(_ connection: Connection, _ reason: String) {
        if case .outbound(let attempt) = ConnectionRole(connection) { attempt.securingFailed(connection, reason) }
    }

    /// Fails an attempt whose name is not resolved by that time (ms): it has no connection to set a deadline on.
    func wait(_ attempt: ConnectionAttempt, until time: UInt64) {
        waitingAttempts.append((attempt.id, time))
        loop.wakeHandler(at: time)
    }

    func wakeTimeReached() {
        let waiting = waitingAttempts
        waitingAttempts = []
        for (id, time) in waiting {
            guard let attempt = attempts[id], attempt.resolution != nil else { continue }
            if now >= time { attempt.fail(.timedOut(.nameResolution)) } else { wait(attempt, until: time) }
        }
    }

    /// The loop ends: what is under way does not become a socket.
    func stopAttempts() {
        for attempt in Array(attempts.values) { attempt.fail(.loopsStopped) }
    }
}

extension WebSocketClientError {
    static let loopsStopped = WebSocketClientError.stopped("the client's loops have been stopped")
}
