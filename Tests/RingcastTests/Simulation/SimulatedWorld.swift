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
    let ledger = SimulationLedger()
    private(set) var turns = 0
    private var brokenByHand = 0
    private var random = SeededGenerator(seed: 0)
    let server: SimulatedServer
    let users: SimulatedUsers
    private(set) var clients: [any SimulatedClient] = []
    /// User clients by loop whose sockets have not been asked for yet.
    private var unjoined: [[UserClient]]
    /// Notifications between loops that are still under way.
    private var lateNotices: [SimulatedLoop] = []

    init(_ plan: SimulationPlan) {
        self.plan = plan
        let handlers = ledger.handlers(plan.options)
        server = SimulatedServer(
            loops: plan.drivers.count, drivers: plan.drivers, room: plan.room,
            {
                $0.topics = [
                    .matching("o*", order: .total), .matching("d*", slowConsumerPolicy: .dropOldest),
                    .matching("l*", slowConsumerPolicy: .latest),
                    .matching("c*", slowConsumerPolicy: .close(.tryAgainLater)),
                ]
                if plan.isSecure { $0.tls = Self.tls }
            },
            fetch: { request in .upgrade(to: handlers, with: Int(request.path.dropFirst()) ?? 0) })
        users = SimulatedUsers(plan, clock: server.simulation.clock)
        unjoined = Array(repeating: [], count: users.loops.count)
        joinLoops(\.server.loops)
        joinLoops(\.users.loops)
    }

    var clock: VirtualClock { server.simulation.clock }
    var loops: [SimulatedLoop] { server.loops + users.loops }
    /// What a kernel, a network or a peer did that nobody wants.
    var faults: Int { brokenByHand + loops.reduce(0) { $0 + $1.driver.counts.faults } }

    /// Runs the world to its end. Returns what is wrong, if anything is.
    func run() -> String? {
        let book = LawBook()
        LawBook.$current.withValue(book) {
            for loop in loops { loop.sleep() }
            for number in plan.steps where ledger.complaint == nil && book.brokenLaw == nil {
                random = plan.generator(of: number)
                step()
            }
            random = plan.generator(of: -1)
            if book.brokenLaw == nil { calm() }
            if book.brokenLaw == nil { finish() }
        }
        return book.brokenLaw ?? ledger.complaint
    }

    private func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case ..<30: turn(loops.randomElement(using: &random)!, mayWakeForNothing: true)
        case ..<52: act()
        case ..<62: clients.randomElement(using: &random)?.carry(atMost: Int.random(in: 1...20_000, using: &random))
        case ..<67: clock.advance(UInt64.random(in: 1...40, using: &random))
        case ..<73: if clients.count < plan.mostClients { connect() }
        case ..<75: breakClient()
        case ..<82: breakDriver()
        case ..<84: settle()
        case 84: publishFromOutside()
        case 85 where random.oneIn(3): clock.advance(UInt64.random(in: 1...90, using: &random) * 1_000)
        default: turnAll()
        }
    }

    private func turnAll() {
        for loop in loops { turn(loop) }
        for client in clients { client.carry(atMost: 4_000) }
    }

    /// A turn of a loop whose wait is over, and the beginning of its next wait.
    private func turn(_ loop: SimulatedLoop, mayWakeForNothing: Bool = false) {
        guard loop.wouldWake || mayWakeForNothing && random.oneIn(30) else { return }
        turns += 1
        loop.wake()
        loop.sleep()
        joinUsers()
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

    private func carryLateNotices() {
        for loop in lateNotices { loop.driver.isNotified = true }
        lateNotices = []
    }

    // MARK: clients

    private func connect() {
        let id = clients.count + 1
        if plan.isSecure || random.oneIn(2) {
            let index = Int.random(in: 0..<users.loops.count, using: &random)
            let loop = users.loops[index]
            let client = UserClient(id: id, isSecure: plan.isSecure, plan, ledger, on: loop)
            unjoined[index].append(client)
            clients.append(client)
            joinUsers()
        } else {
            let peer = server.loops.randomElement(using: &random)!.connect()
            clients.append(RawClient(id: id, peer: peer, ledger, &random))
        }
    }

    /// Gives each user client the wire that its loop has asked for, in order.
    private func joinUsers() {
        for (index, loop) in users.loops.enumerated() {
            while !unjoined[index].isEmpty, !loop.driver.outboundPeers.isEmpty {
                let near = loop.driver.takeOutboundPeer()
                let capacity = random.oneIn(2) ? Int.max : Int.random(in: 1_000...60_000, using: &random)
                let far = server.loops.randomElement(using: &random)!.connect()
                near.connectResult = 0
                unjoined[index].removeFirst().join(SimulatedWire(near: near, far: far, capacity: capacity))
            }
        }
    }

    /// A client says something.
    private func act() {
        guard let client = clients.randomElement(using: &random) else { return }
        let topic = Self.topics.randomElement(using: &random)!
        let length = random.oneIn(6) ? 3_000 : random.oneIn(40) ? 70_000 : Int.random(in: 1...60, using: &random)
        let padding = String(Self.padding.utf8.prefix(length))!
        let words =
            switch Int.random(in: 0..<20, using: &random) {
            case ..<7: "p \(topic) \(padding)"
            case ..<13: "s \(topic)"
            case 13: "u \(topic)"
            case ..<19: "e \(padding)"
            default: random.oneIn(3) ? (random.oneIn(2) ? "c" : "t") : "s \(topic)"
            }
        // Now and then one does not stop: lanes fill.
        for _ in 0..<(length < 100 && random.oneIn(30) ? 30 : 1) { client.say(words, &random) }
    }

    /// A thread that is no loop publishes; it is no socket, and no subscriber's publisher.
    private func publishFromOutside() {
        let topic = Self.topics.randomElement(using: &random)!
        let publication = ledger.publish(0, to: topic)
        let padding = String(Self.padding.utf8.prefix(random.oneIn(8) ? 9_000 : 1))!
        server.server.publish("m \(publication) \(padding)", to: Topic(topic))
    }

    /// Made once: repeating a character costs more than all else in a world.
    private static let padding = String(decoding: [UInt8](repeating: 120, count: 70_000), as: UTF8.self)

    // MARK: faults

    private func breakClient() {
        guard random.oneIn(3), let client = clients.randomElement(using: &random), client.isWell else { return }
        brokenByHand += 1
        client.breakOff(&random)
    }

    private func breakDriver() {
        let loop = loops.randomElement(using: &random)!
        let driver = loop.driver
        brokenByHand += 1
        switch Int.random(in: 0..<7, using: &random) {
        case 0: driver.acceptErrors.append([12, 23, 24, 103, 105].randomElement(using: &random)!)
        case 1: driver.missedCancels += 1
        case 2: driver.interruptedWaits += 1
        case 3: driver.nextWaitDuration = UInt64.random(in: 1...400, using: &random)
        case 4: driver.options.completionLimit = Int.random(in: 1...64, using: &random)
        case 5: driver.refusedNotifications += 1
        // A loop that stands still while the others go on.
        default:
            let others = loops.filter { $0 !== loop }
            for _ in 0..<20 { for other in others { turn(other) } }
        }
    }

    // MARK: rest

    /// Turns all loops until nobody has anything to do. Raw clients that take nothing keep what waits for them.
    func settle() {
        var quiet = 0
        for _ in 0..<20_000 where quiet < 3 {
            carryLateNotices()
            var isBusy = false
            for loop in loops where loop.wouldWake {
                isBusy = true
                turn(loop)
            }
            for client in clients {
                if client.isBusy { isBusy = true }
                client.carryWhatIsRead()
            }
            quiet = isBusy ? 0 : quiet + 1
        }
        if quiet < 3 {
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

    /// Time passes, in bites, and all that is under way arrives.
    func pass(milliseconds: UInt64, bite: UInt64 = 50) {
        for _ in 0..<milliseconds / bite {
            clock.advance(bite)
            for client in clients { client.carry(atMost: .max) }
            settle()
            if ledger.complaint != nil { return }
        }
    }
}
