import PubSub
import Reactor
import ReactorTesting
import SimulatedKernel
import WebSocketProtocol

@testable import Ringcast

/// What a seed decides before anything happens: the server, its kernel, its clients' and the steps.
struct SimulationPlan {
    let seed: UInt64
    /// The steps by their numbers: all of a world, or those that are left of a failed one.
    var steps: [Int]
    let drivers: [SimulatedDriver.Options]
    let clientDrivers: [SimulatedDriver.Options]
    let room: MailboxRoom
    let options: WebSocketOptions
    let clientOptions: WebSocketOptions
    let isSecure: Bool
    let mostClients: Int
    /// Topics with history, in a quarter of the worlds.
    let histories: [HistoryPlan]
    /// Whether the server hears of who joins and leaves.
    let tellsOfPresence: Bool

    init(seed: UInt64) {
        self.seed = seed
        var random = SeededGenerator(seed: seed)
        steps = Array(0..<Int.random(in: 50...600, using: &random))
        let loopCount = random.oneIn(8) ? Int.random(in: 5...8, using: &random) : Int.random(in: 1...4, using: &random)
        drivers = Self.drivers(loopCount, seed: seed, &random)
        clientDrivers = Self.drivers(Int.random(in: 1...2, using: &random), seed: ~seed, &random)
        room = Self.room(&random)
        isSecure = random.oneIn(20)
        mostClients = Int.random(in: 2...10, using: &random)
        let deflate = Self.deflate(&random)
        options = WebSocketOptions(
            backpressureLimit: [1_500, 6_000, 40_000, 1 << 20].randomElement(using: &random)!,
            closeOnBackpressureLimit: random.oneIn(8), idleTimeout: random.oneIn(3) ? .seconds(20) : .zero,
            perMessageDeflate: deflate)
        clientOptions = WebSocketOptions(
            backpressureLimit: [6_000, 1 << 20].randomElement(using: &random)!, idleTimeout: .zero,
            perMessageDeflate: Self.deflate(&random))
        histories = random.oneIn(4) ? HistoryPlan.some(&random) : []
        tellsOfPresence = !histories.isEmpty && random.oneIn(2)
    }

    private static func deflate(_ random: inout SeededGenerator) -> PerMessageDeflate {
        guard random.oneIn(4) else { return false }
        let contexts: [PerMessageDeflate.Context] = [.shared, .shared, .dedicated, .disable]
        return PerMessageDeflate(
            compress: contexts.randomElement(using: &random)!, decompress: contexts.randomElement(using: &random)!)
    }

    private static func room(_ random: inout SeededGenerator) -> MailboxRoom {
        var room = MailboxRoom()
        (room.lane, room.overflow, room.foreignLane) = (64, 1 << 12, 64)
        if random.oneIn(3) { room.lane = 1 << Int.random(in: 1...4, using: &random) }
        if random.oneIn(6) { (room.lane, room.overflow) = (2, Int.random(in: 1...6, using: &random)) }
        return room
    }

    private static func drivers(
        _ count: Int, seed: UInt64, _ random: inout SeededGenerator
    ) -> [SimulatedDriver.Options] {
        let isDirect = random.oneIn(2)
        return (0..<count).map { index in
            var options = SimulatedDriver.Options()
            options.seed = seed &+ UInt64(index)
            options.runsOutOfMemory = true
            options.directAddress = isDirect ? Int32(index) : nil
            options.sendsInBatches = !random.oneIn(4)
            options.acceptsRepeatedly = !random.oneIn(4)
            options.smallBuffers = (16, 512)
            options.largeBuffers = (4, 4_096)
            // As large as a server's: messages are then sent from the buffers that they came in.
            if random.oneIn(4) { (options.smallBuffers, options.largeBuffers) = ((16, 4_096), (4, 65_536)) }
            if random.oneIn(3) { options.smallBuffers.count = Int.random(in: 2...8, using: &random) }
            if random.oneIn(4) { options.smallBuffers.byteCount = Int.random(in: 64...512, using: &random) }
            if random.oneIn(3) { options.submissionLimit = Int.random(in: 2...16, using: &random) }
            if random.oneIn(3) { options.completionLimit = Int.random(in: 2...16, using: &random) }
            if random.oneIn(5) { options.descriptorLimit = Int.random(in: 2...6, using: &random) }
            return options
        }
    }
}

/// A topic with history, whose name begins with an `h`.
struct HistoryPlan {
    let topic: String
    /// How many messages are kept, and for how many milliseconds.
    let messages: Int
    let age: UInt64?
    let isStamped: Bool
    let policy: SlowConsumerPolicy?

    /// One to three: they are few, so that their messages are many.
    static func some(_ random: inout SeededGenerator) -> [HistoryPlan] {
        (0..<Int.random(in: 1...3, using: &random)).map { index in
            // The name decides which loop is its home.
            HistoryPlan(
                topic: "h\(index)\(Int.random(in: 0..<100, using: &random))",
                messages: random.oneIn(3) ? 64 : Int.random(in: 1...16, using: &random),
                age: random.oneIn(3) ? [20, 200, 2_000].randomElement(using: &random)! : nil,
                isStamped: !random.oneIn(3),
                policy: random.oneIn(2)
                    ? nil : [.dropOldest, .latest, .close(.tryAgainLater)].randomElement(using: &random)!)
        }
    }
}
