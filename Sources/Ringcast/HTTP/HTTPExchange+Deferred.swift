import HTTPTypes
import Reactor

/// A deferred reply: what a task is making, and for which request.
struct Deferral {
    /// Tells the replies of one connection apart: a reply may come when its request is not waited for any more.
    let number: UInt64
    let request: RequestSummary
    let task: Task<Void, Never>
}

/// Deferred replies. The connection reads nothing meanwhile but a body that the reply is made of, so that the end of a
/// client would go unnoticed behind what it has sent: the kernel is asked for it now and then, and a last time before
/// the reply is given.
extension HTTPExchange {
    /// Runs the user's task on this loop, and gives its reply when it is there.
    func wait(
        for body: @escaping @Sendable () async throws -> sending Reply, within timeout: Duration?,
        _ request: RequestSummary, on connection: Connection
    ) {
        phase = .deferred
        if nextInput == nil { connection.pauseReceiving() }
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
            // Not run if the loop has ended meanwhile, and the connection with it.
            exchange.use { exchange in
                reply.use { exchange.deferredReplyIsReady($0, number: number) }
            }
        }
        deferral = Deferral(number: number, request: request, task: task)
        expect(within: timeout ?? loop.core.configuration.limits.deferredReplyTimeout, on: connection)
    }

    private func deferredReplyIsReady(_ result: Result<Reply, any Error>, number: UInt64) {
        guard let deferral, deferral.number == number, let connection else { return }
        // A client that has left is not answered, and gets no socket.
        if connection.peerHasEnded { return close(connection) }
        self.deferral = nil
        goOn(on: connection)
        var request = deferral.request
        let reply =
            switch result {
            case .success(let reply): reply
            case .failure(let error):
                replacement(for: error, thrownBy: "a deferred reply", path: request.path, on: connection)
            }
        if let observer = reply.observer { request.observers.append(observer) }
        if let failure = give(reply, to: request, on: connection) {
            reportUnsendable(failure, path: request.path, on: connection)
        }
    }

    /// Reads the connection again, when the reply is there, or is not waited for any more.
    func goOn(on connection: Connection) {
        phase = .head
        connection.resumeReceiving()
    }

    /// Cancels the task, whose reply nobody waits for any more.
    func endDeferral() {
        deferral?.task.cancel()
        deferral = nil
    }

    /// Closes if the client has left; else answers 503 if the reply's deadline has passed, or arms the next look.
    func lookForClient(_ connection: Connection) {
        guard let deferral, let deadline = phaseDeadline else { return }
        if connection.peerHasEnded { return close(connection) }
        if awaitsBody(on: connection) { return }
        guard loop.now >= deadline else { return arm(deadline, on: connection) }
        loop.report(
            .lateReply, "a deferred reply took too long", loop.metadata(of: connection, path: deferral.request.path))
        endDeferral()
        goOn(on: connection)
        respond(
            Response(status: .serviceUnavailable, text: "the answer took too long\n"), to: deferral.request,
            on: connection)
    }
}
