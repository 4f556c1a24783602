import Reactor
import WebSocketProtocol

extension SocketLoop {
    /// Closes every socket with the server's code at a moment of its own within the window, by its deadline, so that
    /// their reconnections do not come all at once.
    func stopSessions() {
        let plan = core.stopPlan
        eventLoop.cutConnections(at: now + plan.window + plan.deadline)
        let count = UInt64(max(sessions.count, 1))
        var position: UInt64 = 0
        sessions.forEach { session in
            guard session.isOpen else { return }
            let delay = plan.window * position / count
            position += 1
            if delay == 0 {
                session.close(plan.code, reason: plan.reason, isOwn: true)
            } else {
                session.enter(.stopping)
                session.connection.setDeadline(now + delay)
            }
        }
        for exchange in exchanges.values { exchange.stop() }
        for carrier in carriers.values { carrier.stop() }
    }

    /// Stops anew with the plan of a later call of `Server.stop`, whose times replace those of the first.
    func stopAgain() {
        if isStopping { stopSessions() }
    }
}
