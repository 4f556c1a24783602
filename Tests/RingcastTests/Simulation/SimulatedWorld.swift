import PubSub
import Reactor
import ReactorTesting
import SimulatedKernel
import WebSocketProtocol

@testable import Ringcast

/// A whole server of several loops with its clients on one thread, under a seeded scheduler and faults: the product's
/// own code, and nothing of it replaced above the driver.
///
/// A loop is turned only when its kernel would have ended its wait, so that a wake-up that is lost is a message that
/// never comes. The same seed does the same again (over TLS but for the lengths of signatures). What is checked all the
/// time is in `SimulationLedger` and in the laws of `SimulatedDriver`; `SimulatedWorld+End` checks the rest.
final class SimulatedWorld {
    static let topics = ["o1", "o2", "p1", "p2", "d1", "l1", "c1"]
    private static let tls = TLSConfiguration(certificates: [TestAuthority().issue("localhost")])

    let plan: SimulationPlan
    let ledger: SimulationLedger
    private(set) var turns = 0
    var brokenByHand = 0
    var random = SeededGenerator(seed: 0)
    let server: SimulatedServer
    let users: SimulatedUsers
    private(set) var clients: [any SimulatedClient] = []
    /// The newest client of each reader, where there are readers: the steps are theirs. Else all clients.
    private(set) var present: [any SimulatedClient] = []
    /// User clients by loop whose sockets have not been asked for yet.
    private var unjoined: [[UserClient]]
    private var unjoinedCount = 0
    /// The server's and the clients'.
    let loops: [SimulatedLoop]
    /// Notifications between loops that are still under way.
    private var lateNotices: [SimulatedLoop] = []

    /// - Parameter tell: hears what happens.
    init(_ plan: SimulationPlan, tell: ((String) -> Void)? = nil) {
        self.plan = plan
        let ledger = SimulationLedger(plan, tell: tell)
        self.ledger = ledger
        let handlers = ledger.handlers(plan.options)
        server = SimulatedServer(
            loops: plan.drivers.count, drivers: plan.drivers, room: plan.room,
            {
                $0.topics = [
                    .matching("o*", order: .total), .matching("d*", slowConsumerPolicy: .dropOldest),
                    .matching("l*", slowConsumerPolicy: .latest),
                    .matching("c*", slowConsumerPolicy: .close(.tryAgainLater)),
                ]
                Self.configure(&$0, plan, ledger)
                if plan.isSecure { $0.tls = Self.tls }
            },
            fetch: { request in .upgrade(to: handlers, with: Int(request.path.dropFirst()) ?? 0) })
        users = SimulatedUsers(plan, clock: server.simulation.clock)
        unjoined = Array(repeating: [], count: users.loops.count)
        loops = server.loops + users.loops
        joinLoops(\.server.loops)
        joinLoops(\.users.loops)
        ledger.histories?.server = server
    }

    var clock: VirtualClock { server.simulation.clock }
    /// What a kernel, a network or a peer did that nobody wants.
    private var faults: Int { brokenByHand + loops.reduce(0) { $0 + $1.driver.counts.faults } }
    /// How many clients there were.
    var clientCount: Int { clients.count }

    var sum: WorldSum {
        var sum = WorldSum(worlds: 1, faults: faults, turns: turns, publishes: ledger.publishes)
        if let histories = ledger.histories {
            sum.histories = 1
            (sum.resumes, sum.replays, sum.gaps) = (histories.resumeCount, histories.replayCount, histories.gapCount)
        }
        return sum
    }

    /// Runs the world to its end. Returns what is wrong, if anything is.
    func run() -> String? {
        let book = LawBook()
        LawBook.$current.withValue(book) {
            for loop in loops { loop.sleep() }
            for number in plan.steps where ledger.complaint == nil && book.brokenLaw == nil {
                random = SeededGenerator(seed: plan.seed, step: number)
                ledger.tell?("step \(number), at \(clock.milliseconds) ms")
                step()
            }
            random = SeededGenerator(seed: plan.seed, step: -1)
            if book.brokenLaw == nil { calm() }
            if book.brokenLaw == nil { finish() }
        }
        return book.brokenLaw ?? ledger.complaint
    }

    private func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case ..<30: turn(loops.randomElement(using: &random)!, mayWakeForNothing: true)
        case ..<52: act()
        case ..<62: present.randomElement(using: &random)?.carry(atMost: Int.random(in: 1...20_000, using: &random))
        case ..<67: clock.advance(UInt64.random(in: 1...40, using: &random))
        case ..<73: connectSomebody()
        case ..<75: breakClient()
        case ..<82: breakDriver()
        case ..<84: settle()
        case 84: publishFromOutside()
        case 85 where random.oneIn(3): clock.advance(UInt64.random(in: 1...90, using: &random) * 1_000)
        default: turnAll()
        }
    }

    func turnAll() {
        for loop in loops { turn(loop) }
        for client in clients { client.carry(atMost: 4_000) }
    }

    /// A turn of a loop whose wait is over, and the beginning of its next wait.
    func turn(_ loop: SimulatedLoop, mayWakeForNothing: Bool = false) {
        guard loop.wouldWake || mayWakeForNothing && random.oneIn(30) else { return }
        turns += 1
        loop.wake()
        loop.sleep()
        joinUsers()
        if let histories = ledger.histories, server.loops.contains(where: { $0 === loop }) {
            histories.lookBehindTurn(of: loop.loop.index)
        }
    }

    /// Has the loops of a group reach each other directly, most of the time at once.
    private func joinLoops(_ group: KeyPath<SimulatedWorld, [SimulatedLoop]>) {
        for loop in self[keyPath: group] {
            // No loop is kept by the closure: each would keep itself.
            loop.driver.reach = { [unowned self] index in
                let other = self[keyPath: group][Int(index)]
                if random.oneIn(4) {
                    brokenByHand += 1
                    lateNotices.append(other)
                } else {
                    other.driver.isNotified = true
                }
            }
        }
    }

    func carryLateNotices() {
        for loop in lateNotices { loop.driver.isNotified = true }
        lateNotices = []
    }

    // MARK: clients

    private func connectSomebody() {
        if ledger.histories != nil { return connectReader() }
        if clients.count < plan.mostClients { connect(nil) }
    }

    /// - Parameter reader: whose connection it is; nil: a new one's.
    func connect(_ reader: SimulatedReader?) {
        let id = clients.count + 1
        if plan.isSecure || random.oneIn(2) {
            let index = Int.random(in: 0..<users.loops.count, using: &random)
            let loop = users.loops[index]
            let client = UserClient(id: id, isSecure: plan.isSecure, plan, ledger, on: loop)
            unjoined[index].append(client)
            unjoinedCount += 1
            add(client, for: reader)
            joinUsers()
        } else {
            addRawClient(on: server.loops.randomElement(using: &random)!, for: reader)
        }
    }

    func addRawClient(on loop: SimulatedLoop, for reader: SimulatedReader? = nil) {
        add(RawClient(id: clients.count + 1, peer: loop.connect(), ledger, &random), for: reader)
    }

    private func add(_ client: any SimulatedClient, for reader: SimulatedReader?) {
        clients.append(client)
        if let reader, let index = present.firstIndex(where: { $0.id == reader.connection }) {
            present[index] = client
            reader.connection = client.id
            reader.asked = []
            ledger.histories?.readers[client.id] = reader
        } else {
            present.append(client)
            ledger.histories?.readers[client.id] = SimulatedReader(connection: client.id)
        }
    }

    /// Gives each user client the wire that its loop has asked for, in order.
    private func joinUsers() {
        guard unjoinedCount > 0 else { return }
        for (index, loop) in users.loops.enumerated() {
            while !unjoined[index].isEmpty, !loop.driver.outboundPeers.isEmpty {
                let near = loop.driver.takeOutboundPeer()
                let capacity = random.oneIn(2) ? Int.max : Int.random(in: 1_000...60_000, using: &random)
                let far = server.loops.randomElement(using: &random)!.connect()
                near.connectResult = 0
                unjoinedCount -= 1
                unjoined[index].removeFirst().join(SimulatedWire(near: near, far: far, capacity: capacity))
            }
        }
    }
}
