import HTTPProtocol
import HTTPTypes
import Reactor

/// One deadline per connection, set seldom: it fires, looks what it is for now, and sets itself again if it was early.
extension HTTPExchange {
    func opened(_ connection: Connection) {
        expect(within: loop.core.configuration.limits.headTimeout, on: connection)
    }

    /// The first bytes of a head have come: all of it has to come in time, and a trickle of bytes does not help.
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
        if loop.isStopping, phase == .head, !headHasBegun { return close(connection) }
        guard phase == .head || phase == .body, var deadline = phaseDeadline else { return }
        if phase == .body, let collected {
            // At least a kilobyte a second, counted over all of the body.
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

    func expect(within timeout: Duration, on connection: Connection) {
        let deadline = loop.now + timeout.milliseconds
        phaseDeadline = deadline
        if let armedDeadline, armedDeadline <= nextLook(before: deadline) { return }
        arm(deadline, on: connection)
    }

    func arm(_ deadline: UInt64, on connection: Connection) {
        let time = nextLook(before: deadline)
        armedDeadline = time
        connection.setDeadline(time)
    }
}
