/// One run of an engine: its phases in order.
struct LoadRun {
    let engine: LoadEngine
    let workers: Workers
    private(set) var result: LoadResult
    private var sampler: Sampler
    /// Whether all connections were lost, so that nothing is left to measure.
    private var isOver = false

    private static let step = Duration.milliseconds(100)
    /// Once sending has ended, answers are waited for until none has come for so long.
    private static let patience = Duration.seconds(2)
    /// Once sending has ended, answers are waited for so long at most.
    private static let longestEnd = Duration.seconds(20)
    /// Answers are waited for so long at most when the load was told to stop.
    private static let interruptedEnd = Duration.milliseconds(300)

    init(engine: LoadEngine, workers: Workers) {
        (self.engine, self.workers) = (engine, workers)
        result = LoadResult(plan: engine.plan)
        sampler = Sampler(workers: workers, pid: engine.plan.serverPID)
    }

    private var plan: LoadPlan { engine.plan }
    /// Whether the load was told to stop, or its task was cancelled. A cancelled task's sleeps return at once, so every
    /// loop here looks at this.
    var isStopped: Bool { engine.control.isStopped || Task.isCancelled }

    // MARK: connecting

    /// Opens all connections. Returns early when the load is told to stop.
    mutating func connect() async throws(LoadFailure) {
        let expected = workers.expectedConnections
        let first = sampler.beginServerSample()
        let started = workers.setup.clock.now
        _ = await workers.perform { $0.openConnections() }
        while true {
            let interval = await sampler.take()
            let total = sampler.total
            engine.progress(.connecting(of: expected), interval, total.open)
            if total.opened + total.failedConnections >= expected || isStopped { break }
            if total.failedConnections > 0, plan.workload != .idle || total.opened == 0 { break }
            try? await Task.sleep(for: total.opened == 0 ? .milliseconds(5) : .milliseconds(20))
        }
        result.connectSeconds = Double(workers.setup.clock.now - started) / 1e9
        result.server = sampler.endServerSample(from: first)
        if sampler.total.failedConnections > 0, plan.workload != .idle || sampler.total.opened == 0 {
            throw LoadFailure(connectFailure)
        }
        if sampler.total.failedConnections > 0 { result.failure = connectFailure }
        // Subscriptions take effect behind the handshake's answer.
        if expected > 0, plan.workload != .idle, !isStopped { try? await Task.sleep(for: .milliseconds(200)) }
    }

    private var connectFailure: String {
        let (opened, failed) = (sampler.total.opened, sampler.total.failedConnections)
        let reason = sampler.failure ?? "no reason was given"
        return opened == 0 ? reason : "after \(opened) connections \(failed) more failed: \(reason)"
    }

    // MARK: measuring

    mutating func measure() async {
        _ = await workers.perform { $0.begin() }
        let (warmup, measured) = (plan.warmup, plan.measuredSeconds)
        await pass(seconds: warmup) { .warmingUp(secondsLeft: $0, of: warmup) }
        _ = await workers.perform { $0.beginMeasuring() }
        _ = await sampler.take()
        sampler.beginMeasuring()
        let (server, client) = (result.server, sampler.beginClientSample())
        let first = sampler.beginServerSample()
        await pass(seconds: measured) { .measuring(secondsLeft: $0, of: measured) }
        result.client = sampler.endClientSample(from: client)
        result.server = sampler.endServerSample(from: first)
        // An idle connection's memory is what was added by connecting.
        if plan.workload == .idle, let server { result.server?.residentBefore = server.residentBefore }
        sampler.endMeasuring(into: &result)
    }

    /// Lets time pass, and takes samples.
    private mutating func pass(seconds: Double, _ phase: (Double) -> ProgressLine.Phase) async {
        let clock = workers.setup.clock
        let end = clock.now + UInt64(seconds * 1e9)
        while !isStopped, !isOver {
            let now = clock.now
            guard now < end else { break }
            try? await Task.sleep(for: min(Self.step, .nanoseconds(Int(end - now))), tolerance: .zero)
            let interval = await sampler.take()
            engine.progress(phase(Double(end) / 1e9 - Double(clock.now) / 1e9), interval, sampler.total.open)
            if hasLostEveryone {
                isOver = true
                result.failure = "all connections were lost: \(sampler.failure ?? "the server is gone")"
            }
        }
        // On a busy machine a sample that was asked for before the end may be taken long before it.
        if sampler.isBehind(end), clock.now >= end { _ = await sampler.take() }
    }

    private var hasLostEveryone: Bool {
        let total = sampler.total
        if plan.workload == .churn || plan.workload == .mixed { return sampler.failingSteps >= Self.hopelessSteps }
        return total.open == 0 && total.errors > 0
    }

    /// Where connections come and go, everyone is lost after so many steps in a row in which some fail and none opens.
    private static let hopelessSteps = 10

    // MARK: the end

    /// Stops sending, waits for what is under way, and counts what does not come.
    mutating func finish() async {
        _ = await workers.perform { $0.endSending() }
        let started = ContinuousClock.now
        var lastArrival = started
        repeat {
            engine.progress(.finishing, await sampler.take(), sampler.total.open)
            if sampler.outstanding == 0 || result.failure != nil { break }
            if sampler.lastInterval.received > 0 { lastArrival = .now }
            try? await Task.sleep(for: .milliseconds(10))
        } while !hasWaited(since: started, lastArrival: lastArrival)
        // Workers are asked at different moments: one may have counted the last arrivals behind its sample, and another
        // have heard of them before its own.
        _ = await sampler.take()
        result.latency = sampler.latency
        result.total = sampler.total
        result.unsent = await workers.perform { $0.unsent }.reduce(0, +)
        result.interrupted = isStopped
        // What was under way when the server went is an error of the connections, and counted there; what was under
        // way when the load was told to stop might have come.
        if result.failure == nil, !isStopped, plan.workload != .churn { result.total.lost += await undelivered() }
        if let failure = sampler.failure, result.failure == nil,
            result.total.errors + result.total.failedConnections > 0
        {
            result.firstError = failure
        }
        result.failIfNothingCame()
    }

    private func hasWaited(since started: ContinuousClock.Instant, lastArrival: ContinuousClock.Instant) -> Bool {
        // Whoever cancels does not want to wait.
        if Task.isCancelled { return true }
        if isStopped { return started.duration(to: .now) >= Self.interruptedEnd }
        return lastArrival.duration(to: .now) >= Self.patience || started.duration(to: .now) >= Self.longestEnd
    }

    private func undelivered() async -> Int {
        let published = await workers.perform { $0.published }.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        return await workers.perform { $0.undelivered(of: published) }.reduce(0, +)
    }
}
