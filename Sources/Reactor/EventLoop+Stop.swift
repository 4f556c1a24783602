internal import SystemCalls

/// The end of a loop, in this order:
///
/// 1. Each loop closes its listeners. What waits there is accepted first: closing would reset it. A port that other
///    processes share ignores new handshakes for a moment before, so that none is in the middle.
/// 2. The loop goes through the stages of `StopStage`. At each it tells all loops, behind the connections and messages
///    that it has sent them, and waits until all have come as far.
/// 3. Once all have handled what was posted before the stop, and what that led to, the handler is told.
/// 4. The loops end together, with the last connection of all: till then, what one posts finds the others there.
extension EventLoop {
    /// Closes the loop's listeners; what they have accepted stays. Called on the loop.
    package func stopAccepting() {
        guard !state.hasStoppedAccepting else { return }
        state.hasStoppedAccepting = true
        for index in state.listeners.indices {
            guard !state.listeners[index].isClosed else { continue }
            state.listeners[index].retryTime = nil
            if state.listeners[index].isShared {
                // Another process takes the handshakes that are repeated; those under way here would be reset.
                driver.ignoreHandshakes(on: state.listeners[index].descriptor)
                state.listeners[index].closeTime = now + Self.handshakeTime
            } else {
                beginClosing(index)
            }
        }
        advanceStop()
    }

    /// How long a handshake that has begun may take (ms).
    private static let handshakeTime: UInt64 = 200

    private func beginClosing(_ index: Int) {
        if state.listeners[index].isAccepting {
            // Closing under an armed accept would go on accepting: close at its completion.
            let slot = UInt32(index)
            driver.cancel(Token(.accept, slot: slot), answer: Token(.acceptCancel, slot: slot))
        } else {
            drainAndClose(index)
        }
    }

    /// The kernel found no accept to end: that was just over, which its completion tells, or between two arrivals, and
    /// then it would go on, and the loop with it, for ever.
    func acceptCancelMissed(_ completion: DriverCompletion) {
        let index = Int(completion.token.slot)
        guard completion.error == .notFound, state.listeners[index].isAccepting else { return }
        beginClosing(index)
    }

    var listenerCloseTime: UInt64? { state.listeners.lazy.compactMap(\.closeTime).min() }

    func closeListenersInTime() {
        for index in state.listeners.indices {
            guard let time = state.listeners[index].closeTime, time <= now else { continue }
            state.listeners[index].closeTime = nil
            beginClosing(index)
        }
    }

    /// Asks the loop to end. Called on the loop.
    package func stop() {
        state.isAskedToStop = true
        stopAccepting()
        advanceStop()
    }

    /// A loop, this one or another, has reached a stage.
    func loopReached(_ stage: StopStage) {
        state.stopProgress.note(stage)
        advanceStop()
    }

    private func advanceStop() {
        guard state.hasStoppedAccepting else { return }
        switch state.stopProgress.stage {
        case nil:
            if state.listeners.allSatisfy(\.isClosed) { reach(.acceptingHasEnded) }
        case .acceptingHasEnded?:
            if state.isAskedToStop, state.stopProgress.allHaveReached(.acceptingHasEnded) { reach(.asked) }
        case .asked?:
            if state.stopProgress.allHaveReached(.asked) { reach(.handled) }
        case .handled?:
            if state.stopProgress.allHaveReached(.handled) { reach(.relayed) }
        case .relayed?:
            guard !state.isStopping, state.stopProgress.allHaveReached(.relayed) else { return }
            state.isStopping = true
            endHandshakes()
            unsafe handler.stopping()
        case .empty?: break
        }
    }

    private func reach(_ stage: StopStage) {
        state.stopProgress.reach(stage)
        for loop in 0..<group.loopCount {
            group.mailboxes[loop].pushUrgent(.reached(stage), from: index)
            state.posted.insert(loop)
        }
    }

    /// Called at the end of each turn, once the handler was told to stop.
    func noteLastConnection() {
        guard state.stopProgress.stage != .empty, state.connections.count == 0 else { return }
        if state.listeners.allSatisfy(\.isClosed) { reach(.empty) }
    }

    /// Whether the loop was asked to stop, nothing is open any more on any loop, and all others have this one's last
    /// word, for which they wait: it must not be left in the overflow of a lane.
    package var hasEnded: Bool {
        guard state.stopProgress.allHaveReached(.empty), state.connections.count == 0 else { return false }
        return state.stopProgress.isHeardByAll { !group.mailboxes[$0].holdsBack(from: index) }
    }

    /// Takes what waits on a listener that is no longer armed, and closes it.
    ///
    /// By plain calls, not by operations of the driver: what comes between the last look and the close is reset.
    func drainAndClose(_ index: Int) {
        guard !state.listeners[index].isClosed else { return }
        state.listeners[index].file?.remove()
        while let descriptor = driver.acceptWaiting(on: state.listeners[index].descriptor) {
            statistics.accepted.add(1)
            place(descriptor, listener: index)
        }
        driver.closeListener(state.listeners[index].descriptor)
        state.listeners[index].isClosed = true
        advanceStop()
    }
}
