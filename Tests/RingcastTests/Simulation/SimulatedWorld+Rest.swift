import SimulatedKernel

/// Going on until nothing is left to do.
extension SimulatedWorld {
    /// Turns all loops until nobody has anything to do. Raw clients that take nothing keep what waits for them.
    func settle() {
        // Behind the first quiet round a client may have carried an end across, which the second one finds.
        var quiet = 0
        var rounds = 0
        while quiet < 2, rounds < 20_000 {
            rounds += 1
            carryLateNotices()
            var isBusy = false
            for loop in loops where loop.wouldWake {
                isBusy = true
                turn(loop)
            }
            for client in clients where client.carryWhatIsRead() { isBusy = true }
            quiet = isBusy ? 0 : quiet + 1
        }
        if quiet < 2 {
            ledger.complain(
                "the loops do not come to rest: \(loops.filter(\.wouldWake).map(\.whyAwake)), "
                    + "clients \(clients.filter(\.isBusy).map(\.id))"
            )
        }
        ledger.settle()
        checkMemory()
    }

    /// Everybody reads from now on, and no more faults are injected by hand.
    func endFaults() {
        for loop in loops {
            loop.driver.options.completionLimit = .max
            loop.driver.options.submissionLimit = .max
            loop.driver.options.descriptorLimit = .max
            loop.driver.missedCancels = 0
            loop.driver.refusedNotifications = 0
            loop.driver.acceptErrors = []
        }
        for client in clients { client.openUp() }
    }

    /// Time passes, in bites, and all that is under way arrives. Bites in which no loop has anything to do, since
    /// nothing is under way any more and none has a timer, are one.
    func pass(milliseconds: UInt64, bite: UInt64 = 50) {
        var left = milliseconds
        arrive()
        while left > 0, ledger.complaint == nil {
            let now = clock.milliseconds
            let next = loops.lazy.compactMap(\.wakeTime).min() ?? .max
            let step = min(left, max(bite, next < now ? 0 : next - now))
            // A wait that lasts lets the clock go on, too.
            left -= step
            clock.advance(step)
            arrive()
        }
    }

    private func arrive() {
        for client in clients { client.carry(atMost: .max) }
        settle()
    }
}
