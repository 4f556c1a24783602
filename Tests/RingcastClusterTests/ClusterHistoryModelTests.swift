import Ringcast
import RingcastCluster
import RingcastTesting
import Testing

/// Nodes that are cut off and lose messages, an engine that starts anew, clients that leave one node and go on at
/// another: in the end everybody has everything behind where it began, once and in order.
@Suite struct ClusterHistoryModelTests {
    @Test(arguments: 0..<40)
    func `whatever happens between nodes and engine, each client gets each message once and in order`(_ seed: Int)
        throws
    {
        var scene = try Scene(seed: UInt64(seed))
        for step in 0..<300 { try scene.step(step) }
        try scene.end()
    }
}

private struct Scene {
    private struct Reader {
        var client: TestClient
        var node: Int
        var position: Position?
        /// What it goes on behind; nil until it has got something.
        var last: UInt64?
    }

    private let world = HistoryWorld()
    private let nodes: [TestServer]
    private var isCut: [Bool]
    private var readers: [Reader] = []
    private var generator: SplitMix
    private var published = 0

    init(seed: UInt64) throws {
        generator = SplitMix(state: seed)
        let world = world
        nodes = try (0..<3).map { _ in
            try world.node(loops: 2, messages: 10_000, waitingMessages: 100_000, interestLinger: .milliseconds(50))
        }
        isCut = [false, false, false]
        for node in 0..<3 { try join(node, after: nil) }
    }

    private mutating func random(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    private mutating func join(_ node: Int, after position: Position?) throws {
        let path = "/room" + (position.map { "?after=\($0)" } ?? "")
        let client = try nodes[node].connect(path, on: random(2))
        readers.append(Reader(client: client, node: node, position: position, last: position?.offset))
    }

    mutating func step(_ number: Int) throws {
        let node = random(3)
        switch random(20) {
        case 0..<9: publish(on: node)
        case 9..<12: nodes[node].rest()
        case 12: try moveReader(to: node)
        case 13: try join(node, after: nil)
        case 14:
            isCut[node].toggle()
            world.engine.setReachable(!isCut[node], for: nodes[node].server)
        case 15: world.engine.loseMessages(1 + random(5), to: nodes[node].server)
        case 16: nodes[node].advance(by: .milliseconds(30))
        case 17 where readers.count > 4:
            let reader = readers.remove(at: random(readers.count))
            reader.client.close()
        case 18 where number % 4 == 0:
            world.engine.setReachable(false)
            world.engine.restart(losing: 0)
            for node in 0..<3 where !isCut[node] { world.engine.setReachable(true, for: nodes[node].server) }
        default:
            for index in readers.indices { read(index) }
        }
    }

    private mutating func publish(on node: Int) {
        for _ in 0...random(4) {
            published += 1
            nodes[node].server.publish("m\(published)", to: "/room")
        }
    }

    /// A client goes, as one whose node has died, and comes to another node with what it has got.
    private mutating func moveReader(to node: Int) throws {
        let index = random(readers.count)
        read(index)
        let reader = readers.remove(at: index)
        if random(2) == 0 { reader.client.reset() } else { reader.client.close() }
        try join(node, after: reader.position)
    }

    private mutating func read(_ index: Int) {
        for message in readers[index].client.takeReceived().map(\.string) {
            guard let word = message.split(separator: " ").last, let position = Position(String(word)) else {
                #expect(!message.hasSuffix("gap"), "nothing is lost here: \(message)")
                continue
            }
            if let last = readers[index].last { #expect(position.offset == last + 1, "\(message) behind \(last)") }
            (readers[index].last, readers[index].position) = (position.offset, position)
        }
    }

    mutating func end() throws {
        world.engine.setReachable(false)
        world.engine.setReachable(true)
        world.rest()
        // Behind it nothing is under way.
        nodes[0].server.publish("end", to: "/room")
        world.rest()
        for index in readers.indices { read(index) }
        #expect(readers.allSatisfy { $0.last == UInt64(published + 1) }, "\(readers.map(\.last)) of \(published + 1)")
        #expect(world.events.allSatisfy { if case .historyGap = $0 { false } else { true } })
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
