import Ringcast
import Synchronization
import WebSocketProtocol

/// Runs a load: connects, warms up, measures, stops.
///
/// This folder is what runs: an engine has a worker per loop (`Worker`, a subclass for each workload), a thread that
/// keeps the workers' time (`Pacer`), and a look at their counters a few times a second (`Sampler`). Connections are
/// Ringcast's own clients, through its public API and no other door. Nothing here prints, parses or formats.
package struct LoadEngine: Sendable {
    let plan: LoadPlan
    let control: LoadControl
    /// Called a few times a second with the phase, what was counted since the last call, and how many connections are
    /// open.
    let progress: @Sendable (ProgressLine.Phase, TimeSeries.Row, Int) -> Void

    package init(
        plan: LoadPlan, control: LoadControl = LoadControl(),
        progress: @escaping @Sendable (ProgressLine.Phase, TimeSeries.Row, Int) -> Void = { _, _, _ in }
    ) {
        (self.plan, self.control, self.progress) = (plan, control, progress)
    }

    /// A task that is cancelled ends the load as `control` does, but waits for no answers.
    /// - Throws: a sentence, if nothing could be measured. A load that ends early gives what it has, and `failure` in
    /// it.
    package func run() async throws(LoadFailure) -> LoadResult {
        if let objection = plan.objection { throw LoadFailure(objection) }
        try DescriptorLimit.raise(for: plan.totalConnections, loops: plan.loops)
        if let pid = plan.serverPID, ProcessSample.take(of: pid) == nil {
            throw LoadFailure("--server-pid \(pid): there is no such process on this machine")
        }
        let setup = try LoadSetup(plan: plan, clock: LoadClock())
        let workers = Workers(setup: setup)
        var run = LoadRun(engine: self, workers: workers)
        workers.pacer.start()
        var failure: LoadFailure?
        do throws(LoadFailure) {
            try await run.connect()
            if !run.isStopped { await run.measure() }
            await run.finish()
        } catch {
            failure = error
        }
        workers.pacer.stop()
        await workers.release()
        setup.group.stop(.normalClosure)
        await setup.group.ended()
        if let failure { throw failure }
        return run.result
    }
}

/// How a running load is told to stop, from any thread, also from a signal handler.
package final class LoadControl: Sendable {
    private let stopped = Atomic<Bool>(false)

    package init() {}

    package var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// What was measured so far is kept.
    package func stop() { stopped.store(true, ordering: .releasing) }
}
