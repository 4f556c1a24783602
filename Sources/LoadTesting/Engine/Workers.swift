import Ringcast

/// The workers of a load, one per loop, as the engine sees them from outside.
struct Workers: Sendable {
    let setup: LoadSetup
    private let all: [Worker]
    private let fanout: WorkerList?
    let pacer: Pacer

    init(setup: LoadSetup) {
        self.setup = setup
        var fanout: WorkerList?
        all = Self.make(setup, &fanout)
        self.fanout = fanout
        pacer = Pacer(workers: all, setup: setup)
    }

    private static func make(_ setup: LoadSetup, _ fanout: inout WorkerList?) -> [Worker] {
        let plan = setup.plan
        let loops = 0..<plan.loops
        let numbers = loops.map { loop in Array(stride(from: loop, to: plan.totalConnections, by: plan.loops)) }
        switch plan.workload {
        case .echo: return loops.map { EchoWorker(index: $0, setup: setup, numbers: numbers[$0]) }
        case .idle: return loops.map { IdleWorker(index: $0, setup: setup, numbers: numbers[$0]) }
        case .churn: return loops.map { ChurnWorker(index: $0, setup: setup) }
        case .mixed:
            guard let scenario = plan.scenario else { preconditionFailure("a plan without objections has a scenario") }
            return loops.map { MixedWorker(index: $0, setup: setup, scenario: scenario) }
        case .chat:
            let rounds = ChatRounds(workers: plan.loops, milliseconds: plan.roundInterval)
            return loops.map { ChatWorker(index: $0, setup: setup, numbers: numbers[$0], rounds: rounds) }
        case .fanout, .slow:
            let layout = FanoutLayout(plan: plan)
            let progress = FanoutProgress(subscribers: layout.readers)
            let list = WorkerList(group: setup.group)
            let workers = loops.map {
                FanoutWorker(
                    index: $0, setup: setup, numbers: numbers[$0], layout: layout, progress: progress, colleagues: list)
            }
            list.set(workers)
            fanout = list
            return workers
        }
    }

    /// Connections that are to be open before the load begins.
    var expectedConnections: Int {
        [.churn, .mixed].contains(setup.plan.workload) ? 0 : setup.plan.totalConnections
    }

    /// Runs `body` for each worker on its loop, one after the other, and returns when all have.
    func perform<Result: Sendable>(_ body: @escaping @Sendable (Worker) -> Result) async -> [Result] {
        await withTaskGroup(of: (Int, Result).self) { group in
            for worker in all {
                group.addTask { [setup] in
                    await withCheckedContinuation { continuation in
                        setup.group.executor(of: worker.index).execute {
                            continuation.resume(returning: (worker.index, body(worker)))
                        }
                    }
                }
            }
            var results: [(Int, Result)] = []
            for await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    func release() async {
        _ = await perform {
            $0.phase = .ended
            $0.releaseHandlers()
        }
        fanout?.set([])
    }
}
