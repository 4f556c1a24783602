import PubSub
import ReactorTesting
import SimulatedKernel

@testable import Ringcast
@testable import RingcastCluster

/// Three nodes of several loops each, their clients and their engine on one thread, in virtual time, under a seeded
/// scheduler and faults: the product's own code, and nothing of it replaced above the driver.
///
/// A loop is turned only when its kernel would have ended its wait. The same seed does the same again, where sets and
/// dictionaries have one order (`SWIFT_DETERMINISTIC_HASHING`, which `Scripts/simulate` sets). What is checked all the
/// time is in `ClusterLedger` and in the laws of `SimulatedDriver`; `ClusterWorld+End` checks the rest.
final class ClusterWorld {
    static let topics = ["a", "b", "c", "d=*.>", "o1", "o2", "l1"]

    let plan: ClusterPlan
    let ledger: ClusterLedger
    let clock = VirtualClock()
    let engine: SimulatedEngine
    let executor = StepExecutor()
    var random = SeededGenerator(seed: 0)
    /// All that there were; those of the three machines are `present`.
    private(set) var nodes: [SimulatedNode] = []
    private(set) var clients: [ClusterClient] = []
    private(set) var turns = 0
    var faults = 0
    /// Nodes that have stopped in order, by their numbers.
    var hasEnded: Set<Int> = []
    /// Questions of nodes to all nodes that nobody has answered.
    let questions = OpenQuestions()

    init(_ plan: ClusterPlan, tell: ((String) -> Void)? = nil) {
        self.plan = plan
        ledger = ClusterLedger(plan, tell: tell)
        engine = SimulatedEngine(plan, ledger, clock)
        for place in 0..<ClusterPlan.nodeCount { startNode(at: place) }
    }

    /// Runs a world, and looks for what is wrong with it.
    static func play(_ plan: ClusterPlan, tell: ((String) -> Void)? = nil) -> (complaint: String?, sum: ClusterSum) {
        let world = ClusterWorld(plan, tell: tell)
        return (world.run(), world.sum)
    }

    private func run() -> String? {
        let book = LawBook()
        LawBook.$current.withValue(book) {
            for number in plan.steps where isWell(book) {
                random = SeededGenerator(seed: plan.seed, step: number)
                ledger.tell?("step \(number), at \(clock.milliseconds) ms")
                step()
            }
            random = SeededGenerator(seed: plan.seed, step: -1)
            if isWell(book) { calm() }
            if isWell(book) { finish() }
        }
        return book.brokenLaw ?? ledger.complaint
    }

    private func isWell(_ book: LawBook) -> Bool { ledger.complaint == nil && book.brokenLaw == nil }

    var sum: ClusterSum {
        ClusterSum(
            worlds: 1, faults: faults + nodes.reduce(0) { $0 + $1.loops.reduce(0) { $0 + $1.driver.counts.faults } },
            turns: turns, publishes: ledger.publications.count, deliveries: ledger.deliveries,
            crossings: ledger.crossings, disconnects: ledger.nodes.reduce(0) { $0 + $1.disconnects },
            gaps: ledger.nodes.reduce(0) { $0 + $1.gaps }, drops: ledger.nodes.reduce(0) { $0 + $1.drops })
    }

    private func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case ..<24: if let loop = loops.randomElement(using: &random) { turn(loop, mayWakeForNothing: true) }
        case ..<48: act()
        case ..<62: engine.wires.randomElement(using: &random)?.move(atMost: anyCount(), &random)
        case ..<67: clock.advance(UInt64.random(in: 1...40, using: &random))
        case ..<73: connectSomebody()
        case ..<75: clients.randomElement(using: &random)?.breakOff(&random)
        case ..<79: breakEngine()
        case ..<82: breakDriver()
        case ..<86: settle()
        case ..<88: publishFromOutside()
        case ..<91: pass(milliseconds: UInt64.random(in: 100...3_000, using: &random))
        case 91: replaceNode()
        case 92: ask()
        case 93: fallSilent()
        default: turnAll()
        }
        engine.sweep()
    }

    private func anyCount() -> Int { Int.random(in: 1...(random.oneIn(2) ? 2_000 : 40), using: &random) }

    // MARK: Turns

    var loops: [SimulatedLoop] { nodes.filter(\.runs).flatMap(\.loops) }
    var present: [SimulatedNode] { nodes.filter { $0.phase == .running } }

    func turnAll() {
        for loop in loops { turn(loop) }
        for client in clients { _ = client.read() }
        for wire in engine.wires { wire.move(atMost: 1_000, &random) }
    }

    /// A turn of a loop whose wait is over, and the beginning of its next wait.
    func turn(_ loop: SimulatedLoop, mayWakeForNothing: Bool = false) {
        guard loop.wouldWake || mayWakeForNothing && random.oneIn(30) else { return }
        turns += 1
        loop.wake()
        loop.sleep()
        for node in nodes where node.phase == .stopping { node.goOnStopping(by: executor) }
        while executor.run() { clock.noteAct() }
        for node in nodes where node.runs { engine.takeConnections(of: node, &random) }
        for wire in engine.wires { wire.notice(&random) }
    }

    // MARK: Nodes and clients

    func startNode(at place: Int) {
        ledger.tell?("node \(nodes.count) starts at place \(place)")
        nodes.append(SimulatedNode(nodes.count, at: place, plan, ledger, clock: clock))
    }

    private func connectSomebody() {
        guard clients.count(where: \.isWell) < plan.mostClients, let node = present.randomElement(using: &random),
            let loop = node.group.loops.randomElement(using: &random)
        else { return }
        let client = ClusterClient(id: clients.count + 1, of: node, on: loop, ledger)
        clients.append(client)
        for _ in 0..<Int.random(in: 0...3, using: &random) { client.say("s \(anyTopic())") }
    }

    func anyTopic() -> String { Self.topics.randomElement(using: &random)! }

    /// A client says something.
    func act() {
        guard let client = clients.filter(\.isWell).randomElement(using: &random) else { return }
        switch Int.random(in: 0..<24, using: &random) {
        case ..<13:
            let words = "p \(anyTopic()) \(padding())"
            for _ in 0..<(random.oneIn(10) ? 20 : 1) { client.say(words) }
        case ..<18: client.say("s \(anyTopic())")
        case ..<23: client.say("u \(anyTopic())")
        default: client.say("c")
        }
    }

    private func padding() -> String {
        String(repeating: "x", count: random.oneIn(8) ? 1_500 : Int.random(in: 1...40, using: &random))
    }

    /// A thread that is no loop publishes.
    private func publishFromOutside() {
        guard let node = present.randomElement(using: &random) else { return }
        publish(to: anyTopic(), on: node)
    }

    func publish(to topic: String, on node: SimulatedNode) {
        let text = ledger.publish(by: 0, on: node.number, loop: -1, to: topic, Substring(padding()))
        clock.noteAct()
        node.server.publish(text, to: Topic(topic))
    }

    /// A node asks all nodes how many subscribe.
    private func ask() {
        guard let node = present.randomElement(using: &random) else { return }
        let (topic, questions, server, number) = (Topic(anyTopic()), questions, node.server, node.number)
        questions.begin(by: number)
        Task(executorPreference: executor) {
            _ = try? await server.clusterSubscriberCount(of: topic)
            questions.end(by: number)
        }
    }
}

/// What has been done so far.
struct ClusterSum: CustomStringConvertible, Equatable {
    var worlds = 0
    var faults = 0
    var turns = 0
    var publishes = 0
    var deliveries = 0
    /// Deliveries of what another node has published.
    var crossings = 0
    var disconnects = 0
    var gaps = 0
    var drops = 0

    private static var fields: [(String, WritableKeyPath<ClusterSum, Int>)] {
        [
            ("worlds", \.worlds), ("faults", \.faults), ("turns", \.turns), ("publishes", \.publishes),
            ("deliveries", \.deliveries), ("crossings", \.crossings), ("disconnects", \.disconnects),
            ("gaps", \.gaps), ("drops", \.drops),
        ]
    }

    var description: String {
        let texts = Self.fields.map { "\(self[keyPath: $0.1]) \($0.0)" }
        return "\(texts[0]): \(texts.dropFirst().joined(separator: ", "))"
    }

    static func += (sum: inout ClusterSum, world: ClusterSum) {
        for (_, field) in fields { sum[keyPath: field] += world[keyPath: field] }
    }
}
