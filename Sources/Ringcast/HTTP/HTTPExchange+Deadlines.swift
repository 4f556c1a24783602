import HTTPProtocol
import HTTPTypes
import Reactor

/// A connection has one deadline, which is set seldom: when it fires too early for what it has come to stand for, it is
/// set again.
extension HTTPExchange {
    func opened(_ connection: Connection) {
        let limits = loop.core.configuration.limits
        connection.setWriteStallTimeout(limits.writeStallTimeout.milliseconds)
        expect(within: limits.headTimeout, on: connection)
    }

    /// Notes that a head has begun. All of it has to come in time, and a trickle of bytes does not help.
    func headBegins(_ connection: Connection) {
        guard !headHasBegun else { return }
        headHasBegun = true
        expect(within: loop.core.configuration.limits.headTimeout, on: connection)
    }

    func bodyBegins(_ connection: Connection) {
        expect(within: loop.core.configuration.limits.bodyTimeout, on: connection)
    }

    func awaitNextRequest(_ connection: Connection) {
        hasAnswered = true
        expect(within: loop.core.configuration.limits.keepAliveTimeout, on: connection)
    }

    func deadlineReached(_ connection: Connection) {
        armedDeadline = nil
        if phase == .deferred { return lookForClient(connection) }
        if phase == .streaming { return lookForReader(connection) }
        if loop.isStopping, phase == .head, !headHasBegun { return close(connection) }
        guard phase == .head || phase == .body, var deadline = phaseDeadline else { return }
        if phase == .body, let collected {
            // A client that sends at least a kilobyte a second, counted over all of the body, may go on.
            deadline += UInt64(collected.body.count) * 1_000 / 1_024
        }
        // A client that still takes an answer is not idle.
        if loop.now >= deadline, phase == .head, !headHasBegun,
            let end = connection.endOfPatience(loop.core.configuration.limits.keepAliveTimeout.milliseconds)
        {
            phaseDeadline = end
            deadline = end
        }
        guard loop.now >= deadline else { return arm(deadline, on: connection) }
        if phase == .body || headHasBegun {
            refuse(HTTPRefusal(status: .requestTimeout, reason: "the request took too long"), on: connection)
        } else {
            // Nothing has been asked, so there is nothing to answer.
            close(connection)
        }
    }

    /// Gives the present phase so much time from now on.
    func expect(within timeout: Duration, on connection: Connection) {
        let deadline = loop.now + timeout.milliseconds
        phaseDeadline = deadline
        if let armedDeadline, armedDeadline <= nextLook(before: deadline) { return }
        arm(deadline, on: connection)
    }

    /// When `deadlineReached` has to be called next, at the latest.
    private func nextLook(before deadline: UInt64) -> UInt64 {
        phase.waitsForTask ? min(deadline, loop.now + Self.lookInterval) : deadline
    }

    /// Milliseconds between two looks for the client; a deadline is up to 128 ms late.
    private static let lookInterval: UInt64 = 800

    /// Sets the connection's deadline, or its next look for the client if that is earlier.
    func arm(_ deadline: UInt64, on connection: Connection) {
        let time = nextLook(before: deadline)
        armedDeadline = time
        connection.setDeadline(time)
    }
}
