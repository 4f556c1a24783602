/// The end of a loop, in this order:
///
/// 1. Each loop closes its listeners. What waits there is accepted first: closing would reset it. A port that other
///    processes share ignores new handshakes for a moment before, so that none is in the middle.
/// 2. It goes through the stages of `StopStage`. At each it tells all loops, behind the connections and messages that
///    it has sent them, and waits until all have come as far.
/// 3. Once all have handled what was posted before the stop, and what that led to, the handler is told.
/// 4. The loops end together, with the last connection of all: till then, what one posts finds the others there.
extension EventLoop {
    /// Closes the loop's listeners; what they have accepted stays. Called on the loop.
    package func stopAccepting() {
        guard !hasStoppedAccepting else { return }
        hasStoppedAccepting = true
        for index in listeners.indices {
            guard !listeners[index].isClosed else { continue }
            listeners[index].retryTime = nil
            if listeners[index].isShared {
                // Another process takes the handshakes that are repeated; those under way here would be reset.
                driver.ignoreHandshakes(on: listeners[index].descriptor)
                listeners[index].closeTime = now + Self.handshakeTime
            } else {
                beginClosing(index)
            }
        }
        advanceStop()
    }

    /// How long a handshake that has begun may take (ms).
    private static let handshakeTime: UInt64 = 200

    private func beginClosing(_ index: Int) {
        if listeners[index].isAccepting {
            // Closing under an armed accept would go on accepting: close at its completion.
            driver.cancel(Token(.accept, slot: UInt32(index)), answer: Token(.unanswered))
        } else {
            drainAndClose(index)
        }
    }

    var listenerCloseTime: UInt64? { listeners.lazy.compactMap(\.closeTime).min() }

    func closeListenersInTime() {
        for index in listeners.indices {
            guard let time = listeners[index].closeTime, time <= now else { continue }
            listeners[index].closeTime = nil
            beginClosing(index)
        }
    }

    /// Asks the loop to end; called on it.
    package func stop() {
        isAskedToStop = true
        stopAccepting()
        advanceStop()
    }

    /// A loop has come so far, this one or another.
    func loopReached(_ stage: StopStage) {
        stopProgress.note(stage)
        advanceStop()
    }

    private func advanceStop() {
        guard hasStoppedAccepting else { return }
        switch stopProgress.stage {
        case nil:
            if listeners.allSatisfy(\.isClosed) { reach(.acceptingHasEnded) }
        case .acceptingHasEnded?:
            if isAskedToStop, stopProgress.allHaveReached(.acceptingHasEnded) { reach(.asked) }
        case .asked?:
            if stopProgress.allHaveReached(.asked) { reach(.handled) }
        case .handled?:
            if stopProgress.allHaveReached(.handled) { reach(.relayed) }
        case .relayed?:
            guard !isStopping, stopProgress.allHaveReached(.relayed) else { return }
            isStopping = true
            endHandshakes()
            unsafe handler.stopping()
        case .empty?: break
        }
    }

    private func reach(_ stage: StopStage) {
        stopProgress.reach(stage)
        for loop in 0..<group.loopCount {
            group.mailboxes[loop].pushUrgent(.reached(stage), from: index)
            posted.insert(loop)
        }
    }

    /// At the end of a turn, once the handler was told to stop.
    func noteLastConnection() {
        if stopProgress.stage != .empty, connections.count == 0, listeners.allSatisfy(\.isClosed) { reach(.empty) }
    }

    /// It was asked to stop, and nothing is open any more on any loop.
    ///
    /// The others wait for this loop's word: it must not be left in the overflow of a lane.
    package var hasEnded: Bool {
        guard stopProgress.allHaveReached(.empty), connections.count == 0 else { return false }
        return stopProgress.isHeardByAll { !group.mailboxes[$0].holdsBack(from: index) }
    }

    /// Takes what waits on a listener that is no longer armed, and closes it.
    ///
    /// Not through the ring: what comes between the last look and the close is reset, so the two follow each other at
    /// once.
    func drainAndClose(_ index: Int) {
        guard !listeners[index].isClosed else { return }
        listeners[index].file?.remove()
        while let descriptor = driver.acceptWaiting(on: listeners[index].descriptor) {
            statistics.accepted.add(1)
            place(descriptor, listener: index)
        }
        driver.closeListener(listeners[index].descriptor)
        listeners[index].isClosed = true
        advanceStop()
    }
}
