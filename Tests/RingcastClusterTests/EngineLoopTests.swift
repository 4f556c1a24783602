import Reactor
import SimulatedKernel
import Synchronization
import Testing

@testable import Ringcast
@testable import RingcastCluster

/// The backplane's loop over connections that a test plays: Redis, but for what is said of NATS.
@Suite struct EngineLoopTests {
    private func redis(maxDelay: Duration = .milliseconds(1)) throws -> EngineWorld {
        try EngineWorld(
            RedisLanguage(user: nil, password: nil, prefix: Array("p:".utf8)), maxDelay: maxDelay)
    }

    /// Answers what is said at first on both connections, and the probes behind the subscriptions.
    private func greet(_ world: EngineWorld) -> (publishing: EnginePeer, receiving: EnginePeer) {
        let peers = world.accept(2)
        for peer in peers { peer.say("+PONG\r\n") }
        for peer in peers { peer.say("+PONG\r\n") }
        return (peers[0], peers[1])
    }

    private func push(_ topic: String, _ envelope: String) -> String {
        "*3\r\n$7\r\nmessage\r\n$\(topic.utf8.count)\r\n\(topic)\r\n$\(envelope.utf8.count)\r\n\(envelope)\r\n"
    }

    @Test func `a node's own message, which Redis sends back, is thrown away`() throws {
        let world = try redis()
        let (_, receiving) = greet(world)
        #expect(world.isConnected)
        receiving.say(push("p:a", "t\(world.node.id)mine"))
        #expect(world.node.statistics.received == 0)
        receiving.say(push("p:a", "t0123456789abcdefanother's"))
        receiving.say(push("p:a", "the quick brown fox, which anybody may publish") + push("q:a", "t0123456789abcdefx"))
        #expect(world.node.statistics.received == 1 && world.isConnected)
    }

    @Test func `an engine that comes back hears of all topics before it gets what waited`() throws {
        let world = try redis()
        for topic in ["a", "b"] { world.node.interest.add(Topic(topic)) }
        let first = greet(world)
        first.publishing.reset()
        first.receiving.reset()
        #expect(!world.isConnected && world.node.statistics.disconnects == 1)
        world.publish("waits", to: "x")
        world.loop.advance(milliseconds: 100)
        let peers = world.accept(2)
        #expect(peers.map { $0.heard() } == ["*1\r\n$4\r\nPING\r\n", "*1\r\n$4\r\nPING\r\n"])
        for peer in peers { peer.say("+PONG\r\n") }
        let subscribed = peers[1].heard()
        #expect(subscribed.contains("SUBSCRIBE\r\n$3\r\np:a") && subscribed.contains("SUBSCRIBE\r\n$3\r\np:b"))
        peers[0].say("+PONG\r\n")
        #expect(!peers[0].heard().contains("PUBLISH") && !world.isConnected)
        peers[1].say("*2\r\n$4\r\npong\r\n$0\r\n\r\n")
        #expect(peers[0].heard().contains("PUBLISH") && world.isConnected && world.node.statistics.gaps == 1)
    }

    @Test func `what an engine has not confirmed when it dies is counted as dropped`() throws {
        let world = try redis()
        let (publishing, _) = greet(world)
        for number in 0..<5 { world.publish("\(number)", to: "a") }
        publishing.say(":1\r\n:0\r\n-OOM there is no room\r\n")
        #expect(world.node.statistics.dropped == 1)
        publishing.reset()
        #expect(world.node.statistics.dropped == 3 && !world.isConnected)
    }

    @Test func `NATS confirms publishes by the answer to a probe behind them`() throws {
        let world = try EngineWorld(NATSLanguage(user: nil, password: nil, isSecure: false, prefix: "p"))
        let peer = world.accept(1)[0]
        peer.say("INFO {}\r\n")
        peer.say("PONG\r\n")
        peer.say("PONG\r\n")
        #expect(world.isConnected)
        _ = peer.heard()
        world.publish("1", to: "a")
        #expect(peer.heard() == "PUB p.a 18\r\nt\(world.node.id)1\r\nPING\r\n")
        world.publish("2", to: "a")
        world.publish("3", to: "a")
        #expect(!peer.heard().contains("PING"), "one is under way")
        peer.say("PONG\r\n")
        #expect(peer.heard() == "PING\r\n")
        peer.reset()
        #expect(world.node.statistics.dropped == 2, "the first was confirmed")
    }

    @Test func `an engine that says nothing behind a question is away`() throws {
        let world = try redis()
        let (publishing, receiving) = greet(world)
        for _ in 0..<5 {
            world.loop.advance(milliseconds: 2_000)
            publishing.say("+PONG\r\n")
            receiving.say("*2\r\n$4\r\npong\r\n$0\r\n\r\n")
        }
        #expect(world.isConnected && world.node.statistics.roundTrip != nil)
        world.loop.advance(milliseconds: 12_000)
        #expect(!world.isConnected && publishing.peer.isClosed)
    }

    @Test func `it is away, too, if it is told of more and more topics meanwhile`() throws {
        let world = try redis()
        let (_, receiving) = greet(world)
        for number in 0..<12 {
            _ = world.interests.add(true, in: Topic("\(number)"))
            world.loop.advance(milliseconds: 1_000)
        }
        #expect(!world.isConnected && receiving.peer.isClosed)
    }

    @Test func `an engine that never answers is tried again`() throws {
        let world = try redis()
        let silent = world.accept(2)
        world.loop.advance(milliseconds: 7_000)
        #expect(silent.allSatisfy(\.peer.isClosed) && !world.isConnected)
        let refused = (0..<2).map { _ in world.loop.driver.takeOutboundPeer() }
        for peer in refused { peer.connectResult = 111 }
        world.loop.advance(milliseconds: 1_000)
        _ = greet(world)
        #expect(world.isConnected && world.node.statistics.disconnects == 0, "it was never there before")
    }

    @Test func `an engine whose name has two addresses is tried at the second one, too`() async throws {
        let found = Mutex(0)
        let resolver = Resolver(threadLimit: 1) { host, port in
            found.withLock { $0 += 1 }
            return .addresses(["10.0.0.1", "10.0.0.2"].compactMap { ConnectAddress(host: $0, port: port) })
        }
        let world = try EngineWorld(
            NATSLanguage(user: nil, password: nil, isSecure: false, prefix: "p"), host: "engine.test",
            resolver: resolver)
        func connections() async -> [String] {
            // The name is looked up on another thread.
            while world.loop.driver.outboundAddresses.isEmpty {
                try? await Task.sleep(for: .milliseconds(1))
                world.loop.rest()
            }
            return world.loop.driver.outboundAddresses.map(\.description)
        }
        #expect(await connections() == ["10.0.0.1:1"])
        world.loop.driver.takeOutboundPeer().connectResult = 111
        world.loop.rest()
        #expect(await connections() == ["10.0.0.1:1", "10.0.0.2:1"])
        let peer = world.accept(1)[0]
        peer.say("INFO {}\r\nPONG\r\n")
        peer.say("PONG\r\n")
        #expect(world.isConnected && found.withLock { $0 } == 1)
    }

    @Test func `an engine whose first address never answers is tried at the second one in five seconds`() async throws {
        let resolver = Resolver(threadLimit: 1) { _, port in
            .addresses(["10.0.0.1", "10.0.0.2"].compactMap { ConnectAddress(host: $0, port: port) })
        }
        let world = try EngineWorld(
            NATSLanguage(user: nil, password: nil, isSecure: false, prefix: "p"), host: "engine.test",
            resolver: resolver)
        while world.loop.driver.outboundPeers.isEmpty {
            try await Task.sleep(for: .milliseconds(1))
            world.loop.rest()
        }
        let silent = world.loop.driver.takeOutboundPeer()
        world.loop.advance(milliseconds: 6_000)
        #expect(silent.isClosed && world.loop.driver.outboundPeers.count == 1)
        let peer = world.accept(1)[0]
        peer.say("INFO {}\r\nPONG\r\n")
        peer.say("PONG\r\n")
        #expect(world.isConnected)
    }

    @Test func `an engine that greets and then refuses is asked less and less often`() throws {
        let world = try redis(maxDelay: .seconds(10))
        var attempts = 0
        for _ in 0..<100 {
            world.loop.advance(milliseconds: 100)
            while !world.loop.driver.outboundPeers.isEmpty {
                let peer = world.loop.driver.takeOutboundPeer()
                peer.connectResult = 0
                world.loop.rest()
                peer.send(Array("+PONG\r\n-NOPERM no\r\n".utf8))
                world.loop.rest()
                attempts += 1
            }
        }
        #expect(attempts < 200, "two links for ten seconds, which would be thousands without a longer wait")
    }

    @Test func `what the engine does not take stays in the outbox, which is bounded`() throws {
        let world = try redis()
        let (publishing, _) = greet(world)
        publishing.peer.window = 0
        var results: Set<BackplaneResult> = []
        for _ in 0..<1_000 {
            results.insert(world.outbox.add { $0 += [UInt8](repeating: 0x20, count: 1_000) }.result)
            world.loop.rest()
        }
        #expect(results == [.accepted, .waiting, .dropped])
        #expect(!world.outbox.isEmpty)
        publishing.peer.makeRoom(.max)
        world.loop.rest()
        #expect(world.outbox.isEmpty)
    }

    @Test func `what Redis has not answered of histories is asked again over the next connection`() throws {
        let (world, peer) = try remembering()
        _ = world.history.append(Array("once".utf8), to: "a", keeping: .init(messages: 5), retain: false)
        _ = world.history.read("a", after: .oldest, ticket: 7)
        world.loop.rest()
        let asked = peer.heard()
        #expect(asked.contains("EVALSHA\r\n$3\r\nsh1") && asked.contains("once") && asked.contains("sh2"))
        peer.reset()
        #expect(!world.isConnected && world.history.hasAppends && world.node.statistics.dropped == 0)
        world.loop.advance(milliseconds: 100)
        let next = world.accept(1)[0]
        greet(next)
        #expect(world.isConnected && next.heard().contains("once"))
        next.say("$1\r\n1\r\n")
        #expect(!world.history.hasAppends)
        next.say("*6\r\n$1\r\n5\r\n$1\r\n1\r\n$1\r\n1\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n")
        #expect(world.isConnected)
        // Nothing was asked any more: this is no Redis.
        next.say("$1\r\n1\r\n")
        #expect(!world.isConnected)
    }

    @Test func `a read that Redis refuses is asked again, and a message that it refuses is counted`() throws {
        let (world, peer) = try remembering()
        _ = world.history.append(Array("large".utf8), to: "a", keeping: .init(messages: 5), retain: false)
        _ = world.history.read("a", after: .oldest, ticket: 7)
        world.loop.rest()
        peer.say("-OOM no room\r\n")
        #expect(world.isConnected && world.node.statistics.dropped == 1 && !world.history.hasAppends)
        peer.say("-OOM no room\r\n")
        #expect(!world.isConnected)
        world.loop.advance(milliseconds: 100)
        let next = world.accept(1)[0]
        greet(next)
        let asked = next.heard()
        #expect(asked.contains("sh2") && !asked.contains("large"))
    }

    @Test func `a topic in whose place Redis has something else is refused alone`() throws {
        let (world, peer) = try remembering()
        _ = world.history.append(Array("x".utf8), to: "a", keeping: .init(messages: 5), retain: false)
        _ = world.history.read("a", after: .oldest, ticket: 7)
        world.loop.rest()
        for _ in 0..<2 { peer.say("-WRONGTYPE no\r\n") }
        #expect(world.isConnected && world.node.statistics.dropped == 1 && world.history.oldest == nil)
    }

    @Test func `reads for who has left while the engine is away are taken back`() throws {
        let (world, peer) = try remembering()
        peer.reset()
        world.node.interest.add("stays", hasHistory: true)
        for ticket in 0..<2_000 {
            _ = world.history.read(Topic("left \(ticket)"), after: nil, ticket: UInt64(ticket))
            _ = world.history.read("stays", after: .oldest, ticket: UInt64(10_000 + ticket))
        }
        _ = world.history.read("stays", after: nil, ticket: 20_000)
        world.loop.advance(milliseconds: 1_000)
        let tickets = world.history.take().compactMap { request -> UInt64? in
            guard case .read(_, _, let ticket) = request else { return nil }
            return ticket
        }
        #expect(tickets == [11_999, 20_000])
    }

    private func greet(_ peer: EnginePeer) {
        peer.say("+PONG\r\n$15\r\nrun_id:abcdef\r\n\r\n$3\r\nsh1\r\n$3\r\nsh2\r\n")
        _ = peer.heard()
        peer.say("+PONG\r\n")
    }

    /// A world over a Redis that keeps histories, and the connection for these.
    private func remembering() throws -> (EngineWorld, EnginePeer) {
        let world = try EngineWorld(
            RedisLanguage(user: nil, password: nil, prefix: Array("p:".utf8), node: "n", remembers: true))
        let peers = world.accept(3)
        for peer in peers[..<2] {
            peer.say("+PONG\r\n")
            peer.say("+PONG\r\n")
        }
        #expect(!world.isConnected)
        greet(peers[2])
        #expect(world.isConnected)
        return (world, peers[2])
    }
}
