import PubSub
import ReactorTesting
import SimulatedKernel

@testable import Ringcast
@testable import RingcastCluster

/// What a seed decides before anything happens: the engine, the nodes' kernels, and the steps.
struct ClusterPlan {
    let seed: UInt64
    /// The steps by their numbers: all of a world, or those that are left of a failed one.
    var steps: [Int]
    let language: any EngineLanguage
    /// How many loops each of the nodes' servers has.
    let loopCounts: [Int]
    /// Whether the network, the engine and the nodes fail; what a kernel does goes on anyway.
    let hasFaults: Bool
    /// Bytes of publishes that may wait for the engine.
    let waitingBytes: Int
    let linger: Duration
    /// Bytes that a connection to the engine takes before it is full.
    let windows: [Int]
    let mostClients: Int

    static let nodeCount = 3

    init(seed: UInt64) {
        self.seed = seed
        var random = SeededGenerator(seed: seed)
        steps = Array(0..<Int.random(in: 40...400, using: &random))
        if random.oneIn(2) {
            language = RedisLanguage(user: nil, password: nil, prefix: Array("ringcast:".utf8))
        } else {
            language = NATSLanguage(user: nil, password: nil, isSecure: false, prefix: "ringcast")
        }
        loopCounts = (0..<Self.nodeCount).map { _ in Int.random(in: 1...3, using: &random) }
        hasFaults = !random.oneIn(8)
        let isTight = hasFaults && random.oneIn(2)
        waitingBytes = isTight ? Int.random(in: 300...20_000, using: &random) : 1 << 20
        linger = [.zero, .milliseconds(200), .seconds(5)].randomElement(using: &random)!
        windows = isTight ? [500, 4_000, .max] : [.max]
        mostClients = Int.random(in: 4...16, using: &random)
    }

    var isRedis: Bool { language is RedisLanguage }

    /// What the engine calls a topic.
    func channel(of topic: Topic) -> String {
        var bytes: [UInt8] = []
        switch language {
        case let redis as RedisLanguage: bytes = redis.channel(of: topic)
        case let nats as NATSLanguage: nats.appendSubject(of: topic, into: &bytes)
        default: break
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What a kernel of a node does by itself: answers that are late or change places, input in pieces of any size.
    /// - Parameter number: the node's; its loops and its backplane's have each their own.
    func driver(of number: Int, loop: Int) -> SimulatedDriver.Options {
        var random = SeededGenerator(seed: seed &+ UInt64(number * 16 + loop) &* 0x9E37_79B9)
        var options = SimulatedDriver.Options()
        options.seed = random.next()
        options.sendsInBatches = !random.oneIn(4)
        options.acceptsRepeatedly = !random.oneIn(4)
        options.smallBuffers = (16, 512)
        options.largeBuffers = (4, 4_096)
        if random.oneIn(3) { options.smallBuffers.count = Int.random(in: 2...8, using: &random) }
        if random.oneIn(3) { options.completionLimit = Int.random(in: 2...16, using: &random) }
        return options
    }
}
