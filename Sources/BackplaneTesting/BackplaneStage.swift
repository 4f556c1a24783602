import HTTPProtocol
import Ringcast
import RingcastTesting

/// Servers in memory for one check, and what it has found.
final class BackplaneStage {
    /// A server of the cluster under test.
    final class Node {
        let app: TestServer
        private var hasStopped = false

        init(_ cluster: Cluster, _ rules: [TopicRule] = []) throws(ServerError) {
            let configuration = ServerConfiguration(topics: rules, cluster: cluster)
            app = try TestServer(configuration: configuration) { request in
                .upgrade(
                    to: BackplaneStage.handlers,
                    with: Guest(
                        topic: Topic(request.query("topic") ?? ""),
                        position: request.query("after").flatMap(Position.init)))
            }
        }

        var isConnected: Bool { app.server.clusterStatistics?.isConnected ?? false }

        func stop() async {
            guard !hasStopped else { return }
            hasStopped = true
            app.stop()
            await app.server.leaveCluster()
        }
    }

    /// What a client has asked for.
    private struct Guest {
        let topic: Topic
        let position: Position?
    }

    /// Who goes on behind a position hears what came of it, behind what it had missed.
    private static let handlers = WebSocketHandlers<Guest>(
        open: { ws in tell(ws, ws.subscribe(to: ws.data.topic, after: ws.data.position)) },
        resumed: { ws, _, result in tell(ws, result) })

    private static func tell(_ ws: WebSocket<Guest>, _ result: Resumption) {
        switch result {
        case .resumed(let count): ws.send("= resumed \(count)")
        case .gap: ws.send("= gap")
        case .new, .resuming, .unchanged: break
        }
    }

    private let makeCluster: () -> Cluster
    private let patience: Duration
    /// Keeps the topics of checks that use one engine apart.
    private let tag = String(UInt64.random(in: .min ... .max), radix: 36)
    private var made: [Node] = []
    private(set) var complaints: [String] = []

    init(_ makeCluster: @escaping () -> Cluster, patience: Duration) {
        (self.makeCluster, self.patience) = (makeCluster, patience)
    }

    func topic(_ name: String) -> Topic { Topic("\(tag)\(name)") }

    /// Messages of topics that begin with `kept` are kept, so many of each, and end with their positions.
    static let kept = 100

    private var rules: [TopicRule] {
        let stamping = Stamping.custom { message, position in .text("\(message.string)@\(position)") }
        return [
            .matching("\(tag)kept*", history: .init(messages: Self.kept), stamping: stamping),
            .matching("\(tag)small*", history: .init(messages: 1_000, bytes: 10_000), stamping: stamping),
        ]
    }

    /// Whether the engine remembers; else it is right that it refuses topics with a history.
    func remembers() -> Bool {
        do throws(ServerError) {
            made.append(try Node(makeCluster(), rules))
            return true
        } catch {
            expect(error.code == .invalidConfiguration, "an engine that does not remember refuses histories: \(error)")
            return false
        }
    }

    /// Makes servers, and waits until they have their engine.
    func nodes(_ count: Int, remember: Bool = false) async throws -> [Node] {
        let nodes = try (0..<count).map { _ in try Node(makeCluster(), remember ? rules : []) }
        made += nodes
        await wait { nodes.allSatisfy(\.isConnected) }
        expect(
            nodes.allSatisfy(\.isConnected), "a node connects to its engine")
        return nodes
    }

    /// Has one client on each of the nodes subscribe, and waits until their engine knows of it.
    func subscribe(_ nodes: [Node], to name: String) async throws -> [TestClient] {
        let query = topic(name).name.utf8.map(\.percentEncoded).joined()
        let clients = try nodes.map { try $0.app.connect("/?topic=\(query)") }
        let probe = try Node(makeCluster())
        made.append(probe)
        await wait {
            probe.app.server.publish("probe", to: self.topic(name))
            return clients.allSatisfy { $0.received.count > 0 }
        }
        // What one thread says to a topic comes in its order: behind this one comes none of the others.
        probe.app.server.publish("end", to: topic(name))
        await wait { clients.allSatisfy { $0.received.last == .text("end") } }
        await probe.stop()
        for client in clients { _ = client.takeReceived() }
        return clients
    }

    /// A client on a node that goes on behind a position, or begins with what comes.
    func connect(_ node: Node, to name: String, after position: Position? = nil) throws -> TestClient {
        let query = topic(name).name.utf8.map(\.percentEncoded).joined()
        return try node.app.connect("/?topic=\(query)" + (position.map { "&after=\($0)" } ?? ""))
    }

    /// Lets the servers work until something is so, at most for as long as there is patience.
    func wait(_ condition: () -> Bool) async {
        let end = ContinuousClock.now + patience
        while !condition(), ContinuousClock.now < end {
            for node in made { node.app.rest() }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Lets what is under way arrive: nothing tells that nothing more comes.
    func pause() async {
        for _ in 0..<20 {
            for node in made { node.app.rest() }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    func expect(_ holds: Bool, _ sentence: String) {
        if !holds { complaints.append("does not hold: \(sentence)") }
    }

    func end() async {
        for node in made { await node.stop() }
    }
}
