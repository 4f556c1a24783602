/// The end of a loop, in this order:
///
/// 1. Each loop closes its listeners. What waits there is accepted first: closing would reset it. A port that other
///    processes share ignores new handshakes for a moment before, so that none is in the middle.
/// 2. Each loop tells all loops that it has, behind the connections and messages that it has sent them.
/// 3. Once all have, the handler is told: no connection comes any more, and what was posted before has been handled.
/// 4. The loop ends with its last connection.
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
        reportEndOfAccepting()
    }

    /// How long a handshake that has begun may take (ms).
    private static let handshakeTime: UInt64 = 200

    private func beginClosing(_ index: Int) {
        if listeners[index].isAccepting {
            // Closing under an armed accept would go on accepting: close at its completion.
            driver.cancel(Token(.accept, slot: UInt32(index)))
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
        stopIfNothingMoreComes()
    }

    /// A loop has no listeners any more, and has posted nothing to be adopted behind this.
    func acceptingHasEndedOnLoop() {
        loopsWithoutListeners += 1
        stopIfNothingMoreComes()
    }

    private func stopIfNothingMoreComes() {
        guard isAskedToStop, !isStopping, loopsWithoutListeners == links.loopCount else { return }
        isStopping = true
        endHandshakes()
        unsafe handler.stopping()
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
        reportEndOfAccepting()
    }

    private func reportEndOfAccepting() {
        guard !hasReportedEndOfAccepting, listeners.allSatisfy(\.isClosed) else { return }
        hasReportedEndOfAccepting = true
        for loop in 0..<links.loopCount {
            links.mailboxes[loop].pushUrgent(.acceptingHasEnded, from: index)
            posted.insert(loop)
        }
    }
}
