/// Waiting, and taking what the wait has brought.
///
/// Nothing is judged by a clock that is later than the last look at all that had come: a process that was stopped, or a
/// handler that blocked, would take everybody for silent. So behind a jump of the clock the loop looks until nothing
/// more comes, before it handles anything; and timers wait until those, too, have been read who found no receive
/// buffer then. A turn without a jump pays a comparison for it.
extension EventLoop {
    /// So much (ms) the clock may go on between two looks: timers, which count by it, do not notice.
    private static let unnoticedJump = TimerWheel.tick
    /// Turns that timers wait at most, since receive buffers may be short for long.
    private static let longestCatchUp = 64
    /// Looks in one turn. Each brings 20 answers or more (`IO_LOCAL_TW_DEFAULT_MAX`, Linux 6.13), and there are no more
    /// of them than receive buffers, connections without one, and new connections.
    private static let looksPerTurn = 10_000

    /// Whether timers wait for what has not been read yet.
    var isCatchingUp: Bool { state.turnsToCatchUp > 0 }

    /// The beginning of a turn. Returns how long (ms) the loop may sleep; nil: for ever.
    ///
    /// From here until `wait` has returned, others wake the loop for whatever they give it.
    package func prepareToWait() -> UInt64? {
        let mailbox = group.mailboxes[index]
        var milliseconds: UInt64? = 0
        if !hasWork, mailbox.prepareToSleep() {
            milliseconds = executor.hasReadyJobs ? 0 : timeUntilDeadline()
            // Nobody tells that a full lane has room again.
            if !state.posted.isEmpty { milliseconds = min(milliseconds ?? 1, 1) }
        }
        // What is sent is taken as the wait begins, and the wait may last for hours.
        if !state.flushing.isEmpty { state.flushTime = group.clock(now) }
        measureEndsTurn()
        return milliseconds
    }

    /// Waits so many milliseconds at most, nil for ever, and takes what the wait has brought.
    func wait(milliseconds: UInt64?) {
        if state.coalescer == nil {
            driver.wait(milliseconds: milliseconds)
        } else {
            waitCoalescing(milliseconds: milliseconds)
        }
        // Looked at now: what completions lead to is handed over with the next wait.
        state.flushesAreSubmitted = driver.unsubmittedCount == 0
        group.mailboxes[index].wokeUp()
        let lastLook = now
        updateClock()
        measureBeginsTurn()
        collectCompletions()
        if isCatchingUp || now - lastLook >= Self.unnoticedJump { catchUp() }
        state.coalescer?.noteTurn(state.completions.count, now: now)
    }

    /// Whether something is left for this turn, so that the loop may not sleep.
    private var hasWork: Bool {
        state.settlesAtOnce || isCatchingUp || !state.ready.isEmpty || !state.ended.isEmpty || !state.starved.isEmpty
            || !state.settling.isEmpty
    }

    /// Takes what the wait has brought, and returns whether there was anything. Batched sends that fell short are
    /// settled at once, so that every queue is true before the handler looks at it.
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
        // A turn that is long because it catches up does not begin the catching-up anew.
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
