import Reactor

/// A loop serves the sockets of servers and of clients alike: they differ in how their connection began, and in one
/// flag of their session.
extension SocketLoop {
    /// Begins a client's connection.
    func connect(
        _ id: UInt64, _ request: ClientRequest, _ upgrade: Upgrade, tls: Result<TLSClient, WebSocketClientError>?,
        failed: @escaping @Sendable (WebSocketClientError) -> Void
    ) {
        guard !isStopping else { return eventLoop.executor.execute { failed(.loopsStopped) } }
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

    /// Does what the loop was asked to wake for. Attempts whose names are not resolved in time fail here, since they
    /// have no connection that a deadline could be set on.
    func wakeTimeReached() {
        sayDueFarewells()
        backoffs.takeDue(at: now).forEach { $0.finish(nil) }
        if let time = backoffs.nextTime { eventLoop.wakeHandler(at: time) }
        tellOfLinesLeftOut()
        core.cluster?.tick(eventLoop, core)
        for attempt in Array(attempts.values) where attempt.resolution != nil {
            if now >= attempt.deadline {
                attempt.fail(.timedOut(.nameResolution))
            } else {
                eventLoop.wakeHandler(at: attempt.deadline)
            }
        }
    }

    /// Gives up all attempts, since the loop ends.
    func stopAttempts() {
        for attempt in Array(attempts.values) { attempt.fail(.loopsStopped) }
        backoffs.takeDue(at: .max).forEach { $0.finish(.loopsStopped) }
    }
}

extension WebSocketClientError {
    static let loopsStopped = WebSocketClientError.stopped("the client's loops have been stopped")
}
