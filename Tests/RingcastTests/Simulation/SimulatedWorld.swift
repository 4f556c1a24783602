import PubSub
import ReactorTesting
import WebSocketProtocol

@testable import Ringcast

/// A whole server of several loops with its clients on one thread, under a seeded scheduler and faults: the product's
/// own code, and nothing of it replaced above the driver.
///
/// The same seed does the same again. What is checked all the time is in `SimulationLedger` and in the laws of
/// `SimulatedDriver`; `finish` checks the rest.
final class SimulatedWorld {
    private static let topics = ["o1", "o2", "p1", "p2", "d1", "l1", "c1"]

    let seed: UInt64
    let ledger = SimulationLedger()
    private(set) var faults = 0
    private(set) var turns = 0
    private var random: SeededGenerator
    private let server: SimulatedServer
    private var clients: [SimulatedClient] = []
    private let mostClients: Int

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        var random = random
        let options = WebSocketOptions(
            backpressureLimit: [1_500, 6_000, 40_000, 1 << 20].randomElement(using: &random)!,
            closeOnBackpressureLimit: random.oneIn(8), idleTimeout: .zero)
        let handlers = ledger.handlers(options)
        var drivers: [SimulatedDriver.Options] = []
        for index in 0..<Int.random(in: 1...4, using: &random) {
            drivers.append(Self.driverOptions(seed: seed &+ UInt64(index), &random))
        }
        mostClients = Int.random(in: 2...10, using: &random)
        server = SimulatedServer(
            loops: drivers.count, drivers: drivers,
            {
                $0.topics = [
                    .matching("o*", order: .total), .matching("d*", slowConsumerPolicy: .dropOldest),
                    .matching("l*", slowConsumerPolicy: .latest),
                    .matching("c*", slowConsumerPolicy: .close(.tryAgainLater)),
                ]
            },
            fetch: { request in .upgrade(to: handlers, with: Int(request.path.dropFirst()) ?? 0) })
        self.random = random
    }

    private static func driverOptions(seed: UInt64, _ random: inout SeededGenerator) -> SimulatedDriver.Options {
        var options = SimulatedDriver.Options()
        options.seed = seed
        options.sendsInBatches = !random.oneIn(4)
        options.acceptsRepeatedly = !random.oneIn(4)
        if random.oneIn(3) { options.smallBuffers.count = Int.random(in: 2...8, using: &random) }
        if random.oneIn(3) { options.smallBuffers.byteCount = Int.random(in: 64...512, using: &random) }
        if random.oneIn(3) { options.submissionLimit = Int.random(in: 2...16, using: &random) }
        if random.oneIn(3) { options.completionLimit = Int.random(in: 2...16, using: &random) }
        if random.oneIn(5) { options.descriptorLimit = Int.random(in: 2...6, using: &random) }
        return options
    }

    /// Runs the world for so many steps and to its end. Returns what is wrong, if anything is.
    func run(steps: Int) -> String? {
        for _ in 0..<steps where ledger.complaint == nil { step() }
        calm()
        finish()
        return ledger.complaint
    }

    private func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case ..<35: turn(server.loops.randomElement(using: &random)!)
        case ..<60: act()
        case ..<70: clients.randomElement(using: &random)?.peer.makeRoom(Int.random(in: 1...20_000, using: &random))
        case ..<76: server.simulation.clock.advance(UInt64.random(in: 1...40, using: &random))
        case ..<82: if clients.count < mostClients { connect() }
        case ..<84: breakClient()
        case ..<90: breakDriver()
        case ..<92: settle()
        default: for loop in server.loops { turn(loop) }
        }
        for client in clients { client.read(ledger) }
    }

    private func turn(_ loop: SimulatedLoop) {
        turns += 1
        if !loop.loop.hasEnded { loop.turn() }
    }

    private func connect() {
        let loop = server.loops.randomElement(using: &random)!
        let client = SimulatedClient(id: clients.count + 1, peer: loop.connect())
        if random.oneIn(2) { client.peer.window = 129 + Int.random(in: 0...30_000, using: &random) }
        client.peer.send(Array(SocketClient.request(path: "/\(client.id)").utf8))
        clients.append(client)
    }

    /// A client says something.
    private func act() {
        guard let client = clients.randomElement(using: &random), client.isWell else { return }
        let topic = Self.topics.randomElement(using: &random)!
        let padding = String(repeating: "x", count: random.oneIn(6) ? 3_000 : Int.random(in: 1...60, using: &random))
        let text =
            switch Int.random(in: 0..<20, using: &random) {
            case ..<7: "p \(topic) \(padding)"
            case ..<13: "s \(topic)"
            case 13: "u \(topic)"
            case ..<19: "e \(client.nextEcho()) \(padding)"
            default: random.oneIn(3) ? (random.oneIn(2) ? "c" : "t") : "s \(topic)"
            }
        client.peer.send(SocketClient.encode(.text, Array(text.utf8)))
        if random.oneIn(10) { client.peer.send(SocketClient.encode(.ping, [1, 2, 3])) }
    }

    private func breakClient() {
        guard let client = clients.randomElement(using: &random), client.isWell, random.oneIn(3) else { return }
        faults += 1
        ledger.failed(client.id)
        client.isWell = false
        switch Int.random(in: 0..<4, using: &random) {
        case 0: client.peer.reset()
        case 1: client.peer.end()
        case 2:
            client.peer.send(SocketClient.encode(.close, [0x03, 0xE8]))
            if random.oneIn(2) { client.peer.end() }
        // Half of a frame, and nothing more.
        default:
            client.peer.send(Array(SocketClient.encode(.text, Array("e half".utf8)).dropLast(3)))
            client.peer.end()
        }
    }

    private func breakDriver() {
        let driver = server.loops.randomElement(using: &random)!.driver
        faults += 1
        switch Int.random(in: 0..<6, using: &random) {
        case 0: driver.acceptErrors.append([23, 24, 103, 105].randomElement(using: &random)!)
        case 1: driver.missedCancels += 1
        case 2: driver.interruptedWaits += 1
        case 3: driver.nextWaitDuration = UInt64.random(in: 1...400, using: &random)
        case 4: driver.options.completionLimit = Int.random(in: 1...64, using: &random)
        // A loop that stands still while the others go on.
        default:
            let others = server.loops.filter { $0.driver !== driver }
            for _ in 0..<20 { for loop in others { turn(loop) } }
        }
    }

    /// Turns all loops until nobody has anything to do. Readers that take nothing keep what waits for them.
    private func settle() {
        var quiet = 0
        for _ in 0..<20_000 where quiet < 4 {
            for loop in server.loops { turn(loop) }
            quiet = server.loops.allSatisfy { $0.loop.hasEnded || $0.driver.sleep != nil } ? quiet + 1 : 0
        }
        if quiet < 4 { ledger.complain("the loops do not come to rest") }
        for client in clients { client.read(ledger) }
        ledger.settle()
    }

    /// Everybody reads again, and time passes: what is owed comes.
    private func calm() {
        for loop in server.loops {
            loop.driver.options.completionLimit = .max
            loop.driver.options.submissionLimit = .max
            loop.driver.options.descriptorLimit = .max
            loop.driver.missedCancels = 0
            loop.driver.acceptErrors = []
        }
        for client in clients { client.peer.window = .max }
        pass(milliseconds: 3_000)
        for client in clients where client.isWell { ledger.checkDebts(of: client.id) }
    }

    private func pass(milliseconds: UInt64) {
        for _ in 0..<milliseconds / 50 {
            server.simulation.clock.advance(50)
            settle()
            if ledger.complaint != nil { return }
        }
    }

    /// The server stops: every socket closes once, and everything comes back.
    private func finish() {
        guard ledger.complaint == nil else { return }
        server.stop(within: .milliseconds(100), deadline: .seconds(1))
        for _ in 0..<200 where !server.loops.allSatisfy(\.loop.hasEnded) { pass(milliseconds: 100) }
        for (id, member) in ledger.members where member.closes != 1 {
            ledger.complain("the close handler of \(id) ran \(member.closes) times")
        }
        for loop in server.loops where !loop.loop.hasEnded {
            return ledger.complain("loop \(loop.loop.index) does not end")
        }
        server.rest()
        for loop in server.loops {
            if loop.driver.loanCount > 0 { ledger.complain("\(loop.driver.loanCount) receive buffers are lost") }
            if loop.driver.openCount > 0 { ledger.complain("\(loop.driver.openCount) descriptors are left open") }
        }
        checkOrder()
    }

    /// Topics of total order: of any two subscribers, what both got came in one order.
    private func checkOrder() {
        for topic in Self.topics where topic.hasPrefix("o") {
            let transcripts = clients.map { $0.transcript.filter { $0.topic == topic } }.filter { !$0.isEmpty }
            for (index, one) in transcripts.enumerated() {
                for other in transcripts[(index + 1)...] {
                    let common = Set(one).intersection(other)
                    if one.filter(common.contains) != other.filter(common.contains) {
                        ledger.complain("two subscribers of \(topic) got its messages in different orders")
                    }
                }
            }
        }
    }
}

/// A client's end in a simulated world.
final class SimulatedClient {
    let id: Int
    let peer: SimulatedPeer
    /// It has not ended its side, nor cut the connection.
    var isWell = true
    private(set) var transcript: [Publication] = []
    private var echoes = 0
    private var unread: [UInt8] = []
    private var isOpen = false
    /// The last sequence number by topic and publisher.
    private var last: [String: Int] = [:]

    init(id: Int, peer: SimulatedPeer) { (self.id, self.peer) = (id, peer) }

    func nextEcho() -> Int {
        echoes += 1
        return echoes
    }

    /// Reads whole frames of what has come.
    func read(_ ledger: SimulationLedger) {
        let bytes = peer.takeReceivedBytes()
        if peer.wasRefused || peer.isClosed { isWell = false }
        guard !bytes.isEmpty else { return }
        unread += bytes
        if !isOpen {
            guard let end = unread.indices.first(where: { unread[$0...].starts(with: [13, 10, 13, 10]) }) else {
                return
            }
            isOpen = unread.starts(with: Array("HTTP/1.1 101".utf8))
            unread.removeFirst(end + 4)
            guard isOpen else { return isWell = false }
        }
        for frame in SocketClient.Frame.takeWhole(from: &unread) {
            // Whatever the reason, the server owes nothing behind its Close.
            if frame.opcode == .close {
                isWell = false
                ledger.failed(id)
            }
            guard frame.opcode == .text else { continue }
            let text = frame.text
            ledger.received(id, text)
            guard let publication = Publication(text) else { continue }
            let key = "\(publication.topic) \(publication.publisher)"
            if publication.sequence <= last[key, default: 0] {
                ledger.complain("socket \(id) got \(publication) behind \(last[key]!)")
            }
            last[key] = publication.sequence
            transcript.append(publication)
        }
    }
}
