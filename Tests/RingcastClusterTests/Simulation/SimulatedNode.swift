import PubSub
import Reactor
import ReactorTesting
import SimulatedKernel
import Synchronization

@testable import Ringcast
@testable import RingcastCluster

/// A node of a simulated cluster: a whole server of several loops and its backplane, nothing of it replaced above the
/// drivers, which are turned by the test.
final class SimulatedNode {
    /// Counted from 0 on, over all nodes of a world.
    let number: Int
    /// Which of the three machines it is on.
    let place: Int
    let server: Server
    let group: SimulatedGroup
    let backplane: EngineBackplane
    let engineGroup: SimulatedGroup
    var phase = Phase.running

    enum Phase {
        case running
        /// Its server was told to stop; its backplane stops behind that.
        case stopping
        /// Its machine was switched off: nothing runs any more.
        case dead
        case ended
    }

    /// Whether everything that `leaveCluster` does has been done.
    private let hasLeft = Flag()
    private var isLeaving = false

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    init(_ number: Int, at place: Int, _ plan: ClusterPlan, _ ledger: ClusterLedger, clock: VirtualClock) {
        (self.number, self.place) = (number, place)
        ledger.born(number, at: place)
        var group: SimulatedGroup?
        let handlers = ledger.handlers(of: number)
        do {
            server = try Server(
                configuration: Self.configuration(number, plan, ledger, clock), loopCount: plan.loopCounts[place],
                application: Application { .upgrade(to: handlers, with: Int($0.path.dropFirst()) ?? 0) }
            ) { setup in
                let made = SimulatedGroup(
                    drivers: (0..<plan.loopCounts[place]).map { plan.driver(of: number, loop: $0) }, clock: clock,
                    discard: setup.discard, log: setup.log, makeHandler: setup.makeHandler)
                group = made
                return made.group
            }
        } catch { fatalError("\(error)") }
        guard let group, let (backplane, engineGroup) = ledger.made.take() else { fatalError("a node without loops") }
        (self.group, self.backplane, self.engineGroup) = (group, backplane, engineGroup)
        for loop in loops { loop.sleep() }
    }

    /// What 16 digits name a node.
    static func id(_ number: Int, _ plan: ClusterPlan) -> String {
        let digits = String(number + 1, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    private static func configuration(
        _ number: Int, _ plan: ClusterPlan, _ ledger: ClusterLedger, _ clock: VirtualClock
    ) -> ServerConfiguration {
        var cluster = Cluster(
            interestLinger: plan.linger, events: { _, event in ledger.told(number, event) },
            backplane: { node throws(ServerError) in try backplane(number, node, plan, ledger, clock) })
        cluster.nodeID = id(number, plan)
        var configuration = ServerConfiguration(
            port: 0, topics: [.matching("o*", order: .total), .matching("l*", scope: .local)], cluster: cluster)
        configuration.logger.logLevel = .critical
        return configuration
    }

    private static func backplane(
        _ number: Int, _ node: ClusterNode, _ plan: ClusterPlan, _ ledger: ClusterLedger, _ clock: VirtualClock
    ) throws(ServerError) -> EngineBackplane {
        let options = EngineOptions(
            language: plan.language,
            address: try EngineAddress("redis://10.0.0.1", schemes: ["redis": false], port: 6379), tls: nil,
            waitingBytes: plan.waitingBytes,
            reconnect: ReconnectPolicy(initialDelay: .milliseconds(100), maxDelay: .seconds(3)))
        var group: SimulatedGroup?
        let backplane = try EngineBackplane(options, node) { makeHandler in
            let made = SimulatedGroup(
                drivers: [plan.driver(of: number, loop: 15)], clock: clock, makeHandler: makeHandler)
            group = made
            return made.group
        }
        guard let group else { fatalError("a backplane without a loop") }
        (group.loops[0].loop.installedHandler as? EngineLoop)?.generator =
            SeededGenerator(seed: plan.seed, step: 1_000_000 + number)
        ledger.made = (backplane, group)
        return backplane
    }

    var loops: [SimulatedLoop] { group.loops + engineGroup.loops }
    var engineDriver: SimulatedDriver { engineGroup.loops[0].driver }
    var node: ClusterNode { server.core.cluster!.node }
    var statistics: ClusterStatistics { node.statistics }
    var runs: Bool { phase == .running || phase == .stopping }

    // MARK: Ending

    func stop() {
        guard phase == .running else { return }
        phase = .stopping
        server.stop(.goingAway, within: .milliseconds(50), deadline: .seconds(1))
    }

    /// Goes on with a stop, as `Server.run` does: when the loops have ended, the backplane hands over what it has.
    func goOnStopping(by executor: StepExecutor) {
        guard phase == .stopping || phase == .dead else { return }
        if !isLeaving, group.hasEnded {
            group.finish()
            isLeaving = true
            Task(executorPreference: executor) { [server, hasLeft] in
                await server.leaveCluster()
                hasLeft.isSet.store(true, ordering: .relaxed)
            }
        }
        if hasLeft.isSet.load(ordering: .relaxed), engineGroup.hasEnded {
            engineGroup.finish()
            phase = .ended
        }
    }
}

/// Runs tasks on the test's thread, when the test says so.
final class StepExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// Runs what is ready, and says whether something was.
    func run() -> Bool {
        let ready = jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
        for job in ready { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
        return !ready.isEmpty
    }
}
