/// Waiting, and taking what the wait has brought.
///
/// Nothing is judged by a clock that is later than the last look at all that had come: a process that was stopped, or a
/// handler that blocked, would take everybody for silent. So behind a jump of the clock the loop looks until nothing
/// more comes, before it handles anything; and timers wait until those, too, have been read who found no receive
/// buffer then. A turn without a jump pays a comparison for it.
extension EventLoop {
    /// The clock may go on by so much (ms) between two looks before timers mind: what they count by.
    private static let unnoticedJump = TimerWheel.tick
    /// Timers wait no longer than so many turns: receive buffers may be short for long.
    private static let longestCatchUp = 64
    /// Looks in one turn. Each brings 20 answers or more (`IO_LOCAL_TW_DEFAULT_MAX`, Linux 6.13), and there are no more
    /// of them than receive buffers, connections without one, and new connections.
    private static let looksPerTurn = 10_000

    /// Timers wait for what has not been read yet.
    var isCatchingUp: Bool { state.turnsToCatchUp > 0 }

    func waitForWork() {
        let mailbox = group.mailboxes[index]
        var milliseconds: UInt64? = 0
        if !hasWork, mailbox.prepareToSleep() {
            milliseconds = executor.hasReadyJobs ? 0 : timeUntilDeadline()
            // Nobody tells that a full lane has room again.
            if !state.posted.isEmpty { milliseconds = min(milliseconds ?? 1, 1) }
        }
        // What is sent is taken as the wait begins, and it may last for hours.
        if !state.flushing.isEmpty { state.flushTime = group.clock(now) }
        if state.coalescer == nil {
            driver.wait(milliseconds: milliseconds)
        } else {
            waitCoalescing(milliseconds: milliseconds)
        }
        // Looked at now: what completions lead to is handed over with the next wait.
        state.flushesAreSubmitted = driver.unsubmittedCount == 0
        mailbox.wokeUp()
        let lastLook = now
        updateClock()
        collectCompletions()
        if isCatchingUp || now - lastLook >= Self.unnoticedJump { catchUp() }
        state.coalescer?.noteTurn(state.completions.count, now: now)
    }

    /// Something is left for this turn.
    private var hasWork: Bool {
        state.settlesAtOnce || isCatchingUp || !state.ready.isEmpty || !state.ended.isEmpty || !state.starved.isEmpty
    }

    /// Takes what the wait has brought, and says whether that was anything. What the last turn's sends fell short of is
    /// settled at once, so that every queue is true before a handler looks at it.
    @discardableResult
    private func collectCompletions() -> Bool {
        var isAny = false
        while let completion = driver.nextCompletion() {
            isAny = true
            switch completion.token.operation {
            case .batchedSend: batchedSendFellShort(completion)
            case .send: state.endedSends.append(completion)
            default: state.completions.append(completion)
            }
        }
        return isAny
    }

    /// Takes everything that had come by `now`.
    private func catchUp() {
        // Turns of a catching-up that are long themselves do not begin it anew.
        if !isCatchingUp { state.turnsToCatchUp = Self.longestCatchUp + 1 }
        state.turnsToCatchUp -= 1
        var looks = 0
        repeat {
            driver.wait(milliseconds: 0)
            looks += 1
        } while collectCompletions() && looks < Self.looksPerTurn
    }

    /// What has come is handled: timers may fire, unless somebody still waits for a receive buffer.
    func endCatchingUp() {
        if isCatchingUp, state.starved.isEmpty { state.turnsToCatchUp = 0 }
    }

    func updateClock() { state.now = group.clock(now) }
}
