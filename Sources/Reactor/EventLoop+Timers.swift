extension EventLoop {
    func setDeadline(_ deadline: UInt64?, on connection: ConnectionSlot) {
        // Once a connection is closing, its timer is the loop's own.
        guard connection.state.flags.isDisjoint(with: [.closing, .ended]) else { return }
        if let deadline {
            timers.schedule(connection.state.slot, at: deadline)
        } else {
            timers.cancel(connection.state.slot)
        }
    }

    /// Deadlines, and looks at slow peers, in one turn: what is left is for the next one, so that thousands that come
    /// together do not keep the loop from those that talk.
    static let timersPerTurn = 1_024

    func fireTimers() {
        timers.advance(to: now, limit: Self.timersPerTurn) { slot in
            let connection = connections[slot]
            if connection.state.flags.contains(.closing) {
                lingerTimeIsOver(connection)
            } else if connection.state.flags.contains(.unannounced) {
                // Bytes of it that wait for their turn may be all that was missing.
                if connection.state.flags.contains(.ready) {
                    timers.schedule(slot, at: now + TimerWheel.tick)
                } else {
                    handshakeTimedOut(connection)
                }
            } else if connection.state.flags.contains(.open) {
                unsafe handler.deadlineReached(Connection(connection))
            }
        }
        checkStalls()
        retryAcceptingAfterPause()
        if hasStoppedAccepting { closeListenersInTime() }
        if let handlerWakeTime, now >= handlerWakeTime {
            self.handlerWakeTime = nil
            unsafe handler.wakeTimeReached()
        }
        if let cutTime, now >= cutTime {
            self.cutTime = nil
            connections.forEach { end($0, .local) }
        }
    }

    /// Cuts every connection that is still there at `milliseconds`, whatever it is doing: the end of a stop's patience.
    package func cutConnections(at milliseconds: UInt64) { cutTime = milliseconds }

    /// Calls the handler's `wakeTimeReached` once `milliseconds` have come, if that is earlier than what was asked for
    /// before. For the little that has no connection to set a deadline on.
    package func wakeHandler(at milliseconds: UInt64) {
        handlerWakeTime = min(handlerWakeTime ?? milliseconds, milliseconds)
    }

    /// How long the loop may sleep (ms); nil is until something happens.
    func timeUntilDeadline() -> UInt64? {
        var earliest = timers.nextDeadline
        func consider(_ deadline: UInt64?) {
            guard let deadline else { return }
            earliest = min(earliest ?? deadline, deadline)
        }
        if uncheckedForStall > 0 {
            consider(now)
        } else if !watchedForStall.isEmpty {
            consider(lastStallCheck + Self.stallCheckInterval)
        }
        consider(acceptRetryTime)
        if hasStoppedAccepting { consider(listenerCloseTime) }
        consider(cutTime)
        consider(handlerWakeTime)
        return earliest.map { $0 > now ? $0 - now : 0 }
    }
}
