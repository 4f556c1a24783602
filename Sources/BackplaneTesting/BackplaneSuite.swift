// BackplaneTesting: whether a backplane does what `Backplane` says, for whoever writes one.

public import Ringcast
import RingcastTesting

/// Checks a backplane of any engine against what `Backplane` says:
///
///     let suite = BackplaneSuite { .redis("redis://127.0.0.1:6379") }
///     #expect(await suite.complaints() == [])
///
/// It makes servers in memory whose clusters it is given, as many as a check needs, and stops them. Each check uses
/// topics of its own, so that several may use one engine at a time. A `HistoryBackplane` is checked against what that
/// says, too.
public struct BackplaneSuite: Sendable {
    /// Makes what servers are configured with: clusters over one engine.
    public var makeCluster: @Sendable () -> Cluster
    /// Cuts all servers off from the engine, or lets them reach it again; nil leaves out what needs it.
    public var setReachable: (@Sendable (Bool) async -> Void)?
    /// The longest payload that is tried, in bytes.
    public var maxPayloadLength: Int
    /// How long to wait for anything, before it counts as missing.
    public var patience: Duration

    /// A suite for one engine. Closures are called by the task that runs the checks.
    public init(
        maxPayloadLength: Int = 1 << 19, patience: Duration = .seconds(30),
        setReachable: (@Sendable (Bool) async -> Void)? = nil, makeCluster: @escaping @Sendable () -> Cluster
    ) {
        self.maxPayloadLength = maxPayloadLength
        self.patience = patience
        self.setReachable = setReachable
        self.makeCluster = makeCluster
    }

    /// Runs all checks, and tells in a sentence each what does not hold. Nothing if all of it does. Takes seconds, and
    /// waits `patience` for what is missing.
    public func complaints() async -> [String] {
        var complaints: [String] = []
        let checks: [(BackplaneStage) async throws -> Void] = [
            deliversOnceToOthers, keepsOrder, takesAnyTopicAndPayload, followsInterest, handsOverAtStop, comesBack,
        ]
        for check in checks {
            let stage = BackplaneStage(makeCluster, patience: patience)
            do { try await check(stage) } catch { complaints.append("\(error)") }
            await stage.end()
            complaints += stage.complaints
        }
        return await complaints + historyComplaints()
    }

    private func deliversOnceToOthers(_ stage: BackplaneStage) async throws {
        let nodes = try await stage.nodes(3)
        let clients = try await stage.subscribe(nodes, to: "once")
        nodes[0].app.server.publish("hello", to: stage.topic("once"))
        nodes[1].app.server.publish([0, 255], to: stage.topic("once"))
        await stage.wait { clients.allSatisfy { $0.received.count >= 2 } }
        await stage.pause()
        for client in clients {
            let received = Set(client.received)
            stage.expect(
                client.received.count == 2 && received == [.text("hello"), .binary([0, 255])],
                "each subscriber gets each message once, as the kind it is, and gets \(client.received)")
        }
    }

    private func keepsOrder(_ stage: BackplaneStage) async throws {
        let nodes = try await stage.nodes(2)
        let clients = try await stage.subscribe(nodes, to: "order")
        for number in 0..<1_000 { nodes[0].app.server.publish("\(number)", to: stage.topic("order")) }
        await stage.wait { clients[1].received.count >= 1_000 }
        stage.expect(
            clients[1].received == (0..<1_000).map { .text("\($0)") },
            "what one thread publishes to a topic comes in its order, all of it")
    }

    private func takesAnyTopicAndPayload(_ stage: BackplaneStage) async throws {
        let nodes = try await stage.nodes(2)
        let names = ["a b.c*>", "=?[x]\\", "line\r\nline", "ünï\u{1F600}", String(repeating: "n", count: 900)]
        let payloads: [[UInt8]] = [[], Array(0...255), [UInt8](repeating: 13, count: maxPayloadLength)]
        for name in names {
            let clients = try await stage.subscribe(nodes, to: name)
            for payload in payloads { nodes[0].app.server.publish(payload, to: stage.topic(name)) }
            await stage.wait { clients[1].received.count >= payloads.count }
            stage.expect(
                clients[1].received == payloads.map { .binary($0) },
                "the topic \(name.debugDescription) takes any bytes")
        }
    }

    private func followsInterest(_ stage: BackplaneStage) async throws {
        let nodes = try await stage.nodes(2)
        let server = nodes[1].app.server
        nodes[0].app.server.publish("nobody", to: stage.topic("interest"))
        await stage.pause()
        stage.expect(server.clusterStatistics?.received == 0, "a topic without subscribers is not sent to a node")
        let clients = try await stage.subscribe([nodes[1]], to: "interest")
        nodes[0].app.server.publish("somebody", to: stage.topic("interest"))
        await stage.wait { clients[0].received.count == 1 }
        clients[0].close()
        nodes[1].app.advance(by: .seconds(60))
        var before = -1
        // What the engine was asked to end it may still send for a while.
        await stage.wait {
            let received = server.clusterStatistics?.received ?? 0
            defer { before = received }
            if received == before { return true }
            nodes[0].app.server.publish("nobody", to: stage.topic("interest"))
            return false
        }
        await stage.pause()
        stage.expect(
            server.clusterStatistics?.received == before,
            "a topic is not sent any more once its last subscriber has left")
    }

    private func handsOverAtStop(_ stage: BackplaneStage) async throws {
        let nodes = try await stage.nodes(2)
        let clients = try await stage.subscribe(nodes, to: "stop")
        for number in 0..<500 { nodes[0].app.server.publish("\(number)", to: stage.topic("stop")) }
        await nodes[0].stop()
        await stage.wait { clients[1].received.count >= 500 }
        stage.expect(clients[1].received.count == 500, "what was published before a stop reaches the others")
    }

    private func comesBack(_ stage: BackplaneStage) async throws {
        guard let setReachable else { return }
        let nodes = try await stage.nodes(2)
        let clients = try await stage.subscribe(nodes, to: "away")
        await setReachable(false)
        await stage.wait { !nodes.contains(where: \.isConnected) }
        stage.expect(
            !nodes.contains(where: \.isConnected),
            "a node notices that its engine is away")
        let result = nodes[0].app.server.publish("waits", to: stage.topic("away"))
        await stage.wait { clients[0].received == [.text("waits")] }
        stage.expect(clients[0].received == [.text("waits")], "local subscribers are served while the engine is away")
        stage.expect(result != .dropped, "what waits for the engine, or reached a subscriber here, was not dropped")
        await setReachable(true)
        await stage.wait { nodes.allSatisfy(\.isConnected) }
        await stage.wait { clients[1].received == [.text("waits")] }
        stage.expect(
            nodes.allSatisfy { $0.app.server.clusterStatistics?.gaps == 1 },
            "each node tells of one gap when it is back")
        nodes[0].app.server.publish("goes on", to: stage.topic("away"))
        await stage.wait { clients[1].received.last == .text("goes on") }
        stage.expect(
            clients[1].received.last == .text("goes on"), "subscriptions are there again when the engine is back")
    }
}
