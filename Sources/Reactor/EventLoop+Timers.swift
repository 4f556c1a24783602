extension EventLoop {
    func setDeadline(_ deadline: UInt64?, on connection: ConnectionSlot) {
        // Once a connection is closing, its timer is the loop's own.
        guard connection.state.phase < .closing else { return }
        if let deadline {
            timers.schedule(connection.state.slot, at: deadline)
        } else {
            timers.cancel(connection.state.slot)
        }
    }

    /// Deadlines, and looks at slow peers, in one turn; what is left is for the next one. Thousands that come together
    /// would keep the loop from those that talk.
    static let timersPerTurn = 1_024

    func fireTimers() {
        timers.advance(to: now, limit: Self.timersPerTurn) { slot in
            let connection = state.connections[slot]
            switch connection.state.phase {
            case .closing, .lingering: lingerTimeIsOver(connection)
            case .handshaking where connection.state.flags.contains(.unannounced): handshakeTimeIsOver(connection)
            case .connecting, .handshaking, .open: unsafe handler.deadlineReached(Connection(connection))
            case .free, .ended, .reported: break
            }
        }
        checkStalls()
        retryAcceptingAfterPause()
        if state.hasStoppedAccepting { closeListenersInTime() }
        if let time = state.handlerWakeTime, now >= time {
            state.handlerWakeTime = nil
            unsafe handler.wakeTimeReached()
        }
        if let time = state.cutTime, now >= time {
            state.cutTime = nil
            state.connections.forEach { end($0, .local) }
        }
    }

    /// Cuts every connection that is still there at `milliseconds`, whatever it is doing: the end of a stop's patience.
    package func cutConnections(at milliseconds: UInt64) { state.cutTime = milliseconds }

    /// Calls `ConnectionHandler.wakeTimeReached` once so much time has passed since this turn began, unless an earlier
    /// time was asked for before. For the little that has no connection to set a deadline on. On the loop's thread;
    /// costs nothing worth counting, and allocates nothing.
    public func wakeHandler(after delay: Duration) { wakeHandler(at: now + delay.milliseconds) }

    /// As `wakeHandler(after:)`, once `now` has passed `milliseconds`.
    package func wakeHandler(at milliseconds: UInt64) {
        state.handlerWakeTime = min(state.handlerWakeTime ?? milliseconds, milliseconds)
    }

    /// How long the loop may sleep (ms); nil means until something happens.
    func timeUntilDeadline() -> UInt64? {
        var earliest = timers.nextDeadline
        func consider(_ deadline: UInt64?) {
            guard let deadline else { return }
            earliest = min(earliest ?? deadline, deadline)
        }
        if state.uncheckedForStall > 0 {
            consider(now)
        } else if !state.watchedForStall.isEmpty {
            consider(state.lastStallCheck + Self.stallCheckInterval)
        }
        consider(acceptRetryTime)
        if state.hasStoppedAccepting { consider(listenerCloseTime) }
        consider(state.cutTime)
        consider(state.handlerWakeTime)
        return earliest.map { $0 > now ? $0 - now : 0 }
    }
}
