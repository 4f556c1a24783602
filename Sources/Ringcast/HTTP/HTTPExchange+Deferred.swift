import HTTPTypes
import Reactor

/// A reply that a task is making.
struct Deferral {
    let number: UInt64
    let request: RequestSummary
    let task: Task<Void, Never>
}

/// Deferred replies. The connection reads nothing meanwhile, so the end of a client would go unnoticed behind what it
/// has sent: the kernel is asked for it now and then, and a last time before the reply is given.
extension HTTPExchange {
    /// Milliseconds between two looks for the client; a deadline is up to 128 ms late.
    private static let lookInterval: UInt64 = 800

    /// Runs the user's task on this loop.
    func wait(
        for body: @escaping @Sendable () async throws -> sending Reply, within timeout: Duration?,
        _ request: RequestSummary, on connection: Connection
    ) {
        phase = .deferred
        connection.pauseReceiving()
        deferralCount += 1
        let number = deferralCount
        let executor = loop.eventLoop.executor
        let exchange = LoopBound(self, executor: executor)
        let task = Task(executorPreference: executor) {
            let reply: LoopBound<Result<Reply, any Error>>
            do {
                reply = try await LoopBound(.success(body()), executor: executor)
            } catch {
                reply = LoopBound(.failure(error), executor: executor)
            }
            // The loop may have ended meanwhile; then so has the connection.
            exchange.use { exchange in
                reply.use { exchange.deferredReplyIsReady($0, number: number) }
            }
        }
        deferral = Deferral(number: number, request: request, task: task)
        expect(within: timeout ?? loop.core.configuration.limits.deferredReplyTimeout, on: connection)
    }

    private func deferredReplyIsReady(_ result: Result<Reply, any Error>, number: UInt64) {
        guard let deferral, deferral.number == number, let connection else { return }
        // Nobody is there to be answered, or to talk to on a socket.
        if connection.peerHasEnded { return close(connection) }
        self.deferral = nil
        goOn(on: connection)
        switch result {
        case .success(let reply): give(reply, to: deferral.request, on: connection)
        case .failure(let error):
            loop.core.logError("a deferred reply threw: \(error)")
            respond(.internalServerError, to: deferral.request, on: connection)
        }
    }

    /// The reply is there, or is not waited for any more.
    private func goOn(on connection: Connection) {
        phase = .head
        connection.resumeReceiving()
    }

    /// The client has left, or the connection is over: nobody waits for the reply any more.
    func endDeferral() {
        deferral?.task.cancel()
        deferral = nil
    }

    /// The time of a look has come, or the reply's deadline.
    func lookForClient(_ connection: Connection) {
        guard let deferral, let deadline = phaseDeadline else { return }
        if connection.peerHasEnded { return close(connection) }
        guard loop.now >= deadline else { return arm(deadline, on: connection) }
        loop.core.logError("a deferred reply took too long")
        endDeferral()
        goOn(on: connection)
        respond(
            Response(status: .serviceUnavailable, text: "the answer took too long\n"), to: deferral.request,
            on: connection)
    }

    /// The latest time for the next call of `deadlineReached`.
    func nextLook(before deadline: UInt64) -> UInt64 {
        phase == .deferred ? min(deadline, loop.now + Self.lookInterval) : deadline
    }
}
