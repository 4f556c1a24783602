import Ringcast
import RingcastCluster
import RingcastTesting
import Synchronization
import Testing

/// Three servers over an engine in memory.
@Suite struct ClusterTests {
    private let engine = InMemoryEngine()

    /// A node whose sockets subscribe to the topic in their path, and publish what they say to it.
    private func node(
        loops: Int = 1, topics: [TopicRule] = [], waitingMessages: Int = 1_000,
        events: (@Sendable (Server, ClusterEvent) -> Void)? = nil
    ) throws -> TestServer {
        let configuration = ServerConfiguration(
            topics: topics, cluster: .inMemory(engine, waitingMessages: waitingMessages, events: events))
        return try TestServer(configuration: configuration, loops: loops) { request in
            let handlers = WebSocketHandlers<Topic>(
                open: { ws in ws.subscribe(to: ws.data) }, message: { ws, message in ws.publish(message, to: ws.data) })
            return .upgrade(to: handlers, with: Topic(request.path))
        }
    }

    private func text(_ client: TestClient) -> [String] { client.takeReceived().map(\.string) }

    @Test func `a publish reaches the subscribers of every node once`() throws {
        let nodes = try (0..<3).map { _ in try node(loops: 2) }
        let clients = try nodes.flatMap { node in try (0..<4).map { _ in try node.connect("/news") } }
        clients[0].send("one")
        for node in nodes { node.rest() }
        #expect(text(clients[0]) == [], "it has published it")
        for client in clients.dropFirst() { #expect(text(client) == ["one"]) }
        nodes[1].server.publish([1, 2], to: "/news")
        for node in nodes { node.rest() }
        for client in clients { #expect(client.takeReceived() == [.binary([1, 2])]) }
        #expect(nodes.map { $0.server.clusterStatistics?.received } == [1, 1, 2])
        #expect(nodes.map { $0.server.clusterStatistics?.published } == [1, 1, 0])
    }

    @Test func `a node that has no subscribers is not sent a topic, and publishes all the same`() throws {
        let (near, far) = (try node(), try node())
        let client = try near.connect("/news")
        #expect(far.server.publish("from afar", to: "/news") == .sent(bytes: 9))
        #expect(near.server.publish("at home", to: "/news") == .sent(bytes: 7))
        near.rest()
        #expect(text(client) == ["from afar", "at home"])
        #expect(far.server.clusterStatistics?.received == 0)
    }

    @Test func `local topics do not cross`() throws {
        let rules: [TopicRule] = [.matching("/typing/*", scope: .local)]
        let (near, far) = (try node(topics: rules), try node(topics: rules))
        let client = try far.connect("/typing/1")
        #expect(near.server.publish("not for others", to: "/typing/1") == .dropped)
        far.rest()
        #expect(text(client) == [])
        #expect(far.server.clusterStatistics?.topics == 0 && near.server.clusterStatistics?.published == 0)
    }

    @Test func `topics of total order cross in the order of the publishing node, and do not come back`() throws {
        let rules: [TopicRule] = [.matching("/game/*", order: .total)]
        let (near, far) = (try node(loops: 3, topics: rules), try node(loops: 3, topics: rules))
        let players = try (0..<3).map { try near.connect("/game/1", on: $0) }
        let watchers = try (0..<3).map { try far.connect("/game/1", on: $0) }
        for round in 0..<50 {
            for (index, player) in players.enumerated() { player.send("\(index) \(round)") }
            near.server.publish("host \(round)", to: "/game/1")
        }
        near.rest()
        far.rest()
        let seen = watchers.map(text)
        #expect(seen[0].count == 200 && seen[1] == seen[0] && seen[2] == seen[0])
        for (index, player) in players.enumerated() {
            #expect(text(player) == seen[0].filter { !$0.hasPrefix("\(index) ") })
        }
        #expect(near.server.clusterStatistics?.received == 0)
    }

    @Test func `who is cut off serves its own, and keeps for others what it has room for`() throws {
        let events = Mutex<[ClusterEvent]>([])
        let (near, far) = (
            try node(waitingMessages: 2) { _, event in events.withLock { $0.append(event) } }, try node()
        )
        let (local, remote) = (try near.connect("/news"), try far.connect("/news"))
        engine.setReachable(false, for: near.server)
        #expect(near.server.publish("1", to: "/news") == .backpressure)
        #expect(near.server.publish("2", to: "/news") == .backpressure)
        #expect(near.server.publish("3", to: "/news") == .backpressure, "its own subscriber has got it")
        #expect(near.server.publish("4", to: "/nobody") == .dropped)
        far.server.publish("missed", to: "/news")
        near.rest()
        #expect(text(local) == ["1", "2", "3"] && near.server.clusterStatistics?.isConnected == false)
        engine.setReachable(true, for: near.server)
        near.rest()
        far.rest()
        #expect(text(remote) == ["missed", "1", "2"])
        let statistics = try #require(near.server.clusterStatistics)
        #expect(statistics.dropped == 2 && statistics.disconnects == 1 && statistics.gaps == 1)
        #expect(
            events.withLock { $0 } == [
                .connected, .disconnected("it was cut off"), .dropped(1), .connected, .dropped(1), .gap,
            ])
    }

    @Test func `drops that are held back are told a moment later, and at the latest by a stop`() async throws {
        let events = Mutex<[ClusterEvent]>([])
        let node = try node(waitingMessages: 0) { _, event in events.withLock { $0.append(event) } }
        func told() -> [ClusterEvent] {
            node.rest()
            return events.withLock { $0.filter { if case .dropped = $0 { true } else { false } } }
        }
        engine.setReachable(false, for: node.server)
        for _ in 0..<4 { node.server.publish("lost", to: "/news") }
        #expect(told() == [.dropped(1)], "one event a second")
        node.advance(by: .seconds(6))
        #expect(told() == [.dropped(1), .dropped(3)])
        for _ in 0..<2 { node.server.publish("lost", to: "/news") }
        let before = told().count
        node.stop()
        await node.server.leaveCluster()
        // The loops have ended: it is told on another thread.
        let dropped = try #require(node.server.clusterStatistics?.dropped)
        while events.withLock({ $0.reduce(0) { $0 + $1.drops } }) < dropped {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(told().count > before && events.withLock { $0.reduce(0) { $0 + $1.drops } } == dropped)
    }

    @Test func `a run that is cancelled hands over what it has`() async throws {
        let backplane = SlowBackplane()
        let configuration = ServerConfiguration(
            port: 0, loops: .count(1), cluster: Cluster { _ throws(ServerError) in backplane })
        let server = try Server(configuration: configuration) { _ in .response(.ok) }
        let run = Task { try await server.run() }
        while backplane.published.withLock({ $0 }) == 0 {
            server.publish("the last word", to: "/news")
            try await Task.sleep(for: .milliseconds(1))
        }
        run.cancel()
        try await run.value
        #expect(backplane.handedOver.withLock { $0 } == true)
    }

    @Test func `the engine goes on sending a topic for a moment after the last subscriber has left`() throws {
        let node = try node(loops: 2)
        let clients = try (0..<2).map { try node.connect("/news", on: $0) }
        #expect(node.server.clusterStatistics?.topics == 1)
        clients[0].close()
        node.advance(by: .seconds(10))
        #expect(node.server.clusterStatistics?.topics == 1, "the other loop has one")
        clients[1].close()
        node.advance(by: .seconds(4))
        #expect(node.server.clusterStatistics?.topics == 1)
        let again = try node.connect("/news")
        node.advance(by: .seconds(10))
        #expect(node.server.clusterStatistics?.topics == 1, "somebody has come back")
        again.close()
        node.advance(by: .seconds(6))
        #expect(node.server.clusterStatistics?.topics == 0)
    }

    @Test func `what events publish goes its usual way`() throws {
        let far = try node()
        let client = try far.connect("/operators")
        let near = try node { server, event in
            if case .gap = event { server.publish("gap", to: "/operators") }
        }
        engine.setReachable(false, for: near.server)
        engine.setReachable(true, for: near.server)
        near.rest()
        far.rest()
        #expect(text(client) == ["gap"])
    }

    @Test func `a history is refused by an engine that does not remember, unless its topics are local`() throws {
        let rule = TopicRule.matching("room/*", history: .init(messages: 10))
        let cluster = Cluster { _ throws(ServerError) in Forgetful() }
        let configuration = ServerConfiguration(topics: [rule], cluster: cluster)
        #expect(
            throws: ServerError(
                "topics with history need an engine that remembers, which the cluster's does not: "
                    + "give the rule for room/* the scope .local",
                code: .invalidConfiguration)
        ) { try TestServer(configuration: configuration) { _ in .response(.ok) } }
        let rules: [TopicRule] = [.matching("/room/*", history: .init(messages: 10), scope: .local)]
        let (near, far) = (try node(topics: rules), try node(topics: rules))
        let client = try far.connect("/room/1")
        near.server.publish("kept", to: "/room/1")
        far.rest()
        #expect(text(client) == [] && near.server.clusterStatistics?.published == 0)
    }

    @Test func `metrics say how the cluster is`() throws {
        let (near, far) = (try node(), try node())
        let client = try far.connect("/news")
        near.server.publish("1", to: "/news")
        let metrics = far.server.metrics.filter { $0.name.hasPrefix("ringcast_cluster_") }
        #expect(metrics.first { $0.name == "ringcast_cluster_received_total" }?.samples == [.init(.integer(1))])
        #expect(metrics.first { $0.name == "ringcast_cluster_connected" }?.samples == [.init(.integer(1))])
        let alone = try TestServer { _ in .response(.ok) }
        #expect(!alone.server.metrics.contains { $0.name.hasPrefix("ringcast_cluster_") })
        #expect(alone.server.clusterStatistics == nil && client.isOpen)
    }
}

extension ClusterEvent {
    fileprivate var drops: Int { if case .dropped(let count) = self { count } else { 0 } }
}

/// A backplane that takes its time to hand over what it has, and notes whether it could.
private final class SlowBackplane: Backplane {
    let published = Mutex(0)
    let handedOver = Mutex<Bool?>(nil)

    func start() {}
    func setInterest(_ isInterested: Bool, in topic: Topic) {}

    func publish(_ payload: RawSpan, isText: Bool, to topic: Topic) -> BackplaneResult {
        published.withLock { $0 += 1 }
        return .accepted
    }

    func stop() async {
        let isWhole = (try? await Task.sleep(for: .milliseconds(20))) != nil
        handedOver.withLock { $0 = isWhole }
    }
}

/// An engine that remembers nothing, and says nothing.
private final class Forgetful: Backplane {
    func start() {}
    func stop() async {}
    func publish(_ payload: RawSpan, isText: Bool, to topic: Topic) -> BackplaneResult { .dropped }
    func setInterest(_ isInterested: Bool, in topic: Topic) {}
}
