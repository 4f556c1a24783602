import Ringcast
import RingcastCluster
import RingcastTesting
import Synchronization
import Testing

/// What nodes know of each other, and ask each other.
@Suite struct ClusterRosterTests {
    private let engine = InMemoryEngine()

    private func node(topics: [TopicRule] = []) throws -> TestServer {
        try TestServer(configuration: ServerConfiguration(topics: topics, cluster: .inMemory(engine)), loops: 2) {
            request in
            let handlers = WebSocketHandlers<String>(open: { ws in
                ws.subscribe(to: "room", as: ws.data, info: "of \(ws.data)")
            })
            return .upgrade(to: handlers, with: request.query("name") ?? "")
        }
    }

    private func rest(_ nodes: [TestServer]) {
        for _ in 0..<3 { for node in nodes { node.rest() } }
    }

    @Test func `nodes hear of each other, and of those that stop or die`() async throws {
        let nodes = try (0..<3).map { _ in try node() }
        rest(nodes)
        let names = Set(nodes.compactMap(\.server.clusterNodeID))
        #expect(names.count == 3 && nodes.allSatisfy { Set($0.server.clusterNodes) == names })
        nodes[2].stop()
        await nodes[2].server.leaveCluster()
        rest(nodes)
        #expect(nodes[0].server.clusterNodes.count == 2)
        engine.setReachable(false, for: nodes[1].server)
        nodes[0].advance(by: .seconds(10))
        #expect(nodes[0].server.clusterNodes.count == 2, "its lease has not ended")
        nodes[0].advance(by: .seconds(11))
        #expect(nodes[0].server.clusterNodes == [nodes[0].server.clusterNodeID])
        let alone = try TestServer { _ in .response(.ok) }
        #expect(alone.server.clusterNodes == [])
    }

    @Test func `each node says how many sockets it has, and others know when they heard it`() throws {
        let nodes = try (0..<2).map { _ in try node() }
        let clients = try (0..<3).map { try nodes[1].connect("/?name=\($0)") }
        nodes[1].advance(by: .seconds(6))
        nodes[0].advance(by: .seconds(4))
        let peer = try #require(nodes[0].server.clusterPeers.first)
        #expect(peer.peer.id == nodes[1].server.clusterNodeID && peer.peer.sockets == 3)
        #expect(peer.silence >= .seconds(4) && peer.silence < .seconds(5))
        #expect(clients.allSatisfy(\.isOpen) && nodes[0].server.clusterPeers.count == 1)
    }

    @Test func `subscribers and members are counted on all nodes`() async throws {
        let nodes = try (0..<2).map { _ in try node() }
        let clients = try [
            nodes[0].connect("/?name=ann"), nodes[0].connect("/?name=ann"), nodes[1].connect("/?name=ann"),
            nodes[1].connect("/?name=bob"),
        ]
        rest(nodes)
        #expect(try await nodes[0].serving { try await $0.clusterSubscriberCount(of: "room") } == 4)
        let members = try await nodes[1].serving { try await $0.presence(of: "room") }
        #expect(Set(members.map { "\($0.id) \($0.info ?? "") \($0.socketCount)" }) == ["ann of ann 3", "bob of bob 1"])
        #expect(try await nodes[0].serving { try await $0.presenceCount(of: "room") } == 2)
        #expect(nodes[0].server.subscriberCount(of: "room") == 2 && clients.allSatisfy(\.isOpen))
    }

    @Test func `a topic of this machine is counted here`() async throws {
        let rules: [TopicRule] = [.matching("room", scope: .local)]
        let nodes = try (0..<2).map { _ in try node(topics: rules) }
        let clients = try nodes.map { try $0.connect("/?name=ann") }
        rest(nodes)
        #expect(try await nodes[0].serving { try await $0.clusterSubscriberCount(of: "room") } == 1)
        for client in clients { #expect(client.isOpen) }
    }

    @Test func `who asks a node that is gone hears so in two seconds`() async throws {
        let nodes = try (0..<2).map { _ in try node() }
        rest(nodes)
        engine.setReachable(false, for: nodes[1].server)
        let server = nodes[0].server
        let question = Task.detached { try await server.clusterSubscriberCount(of: "room") }
        // The question is asked on another thread: time passes until it is there, and has waited long enough.
        let ticking = Outcome()
        let watch = Task.detached {
            let result = await question.result
            ticking.isOver.store(true, ordering: .relaxed)
            return result
        }
        while !ticking.isOver.load(ordering: .relaxed), nodes[0].clock.now.offset < .seconds(12) {
            nodes[0].advance(by: .milliseconds(500))
            try await Task.sleep(for: .milliseconds(20))
        }
        let result = await watch.value
        #expect(throws: ServerError("a node of the cluster has not answered", code: .clusterSilent)) {
            try result.get()
        }
    }
}

private final class Outcome: Sendable {
    let isOver = Atomic(false)
}
