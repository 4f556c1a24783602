import BackplaneTesting
import Glibc
import Ringcast
import RingcastCluster
import Synchronization
import Testing

@Suite struct BackplaneSuiteTests {
    @Test func `the engine in memory does what a backplane has to`() async {
        let engine = InMemoryEngine()
        let suite = BackplaneSuite(maxPayloadLength: 1 << 15, setReachable: { engine.setReachable($0) }) {
            .inMemory(engine)
        }
        #expect(await suite.complaints() == [])
    }

    /// `RINGCAST_TEST_ENGINES` names engines that run: `redis://127.0.0.1:6379 nats://127.0.0.1:4222`.
    private static let engines: [String] = {
        // Safe: the string is copied at once; nothing here changes the environment.
        guard let value = unsafe getenv("RINGCAST_TEST_ENGINES") else { return [] }
        return unsafe String(cString: value).split(separator: " ").map(String.init)
    }()

    @Test(.enabled(if: !engines.isEmpty), arguments: engines)
    func `so do engines that run`(_ url: String) async {
        let suite = BackplaneSuite { url.hasPrefix("nats") ? .nats(url) : .redis(url) }
        let complaints = await suite.complaints()
        #expect(complaints == [])
    }

    @Test func `the suite notices a backplane that hands a message to its publisher, or twice`() async {
        let complaints = await BackplaneSuite(patience: .milliseconds(300)) { [echo = Echo()] in
            Cluster { node throws(ServerError) in echo.backplane(of: node) }
        }.complaints()
        #expect(complaints.contains { $0.contains("each message once") }, "\(complaints)")
    }
}

/// An engine that sends everything to everybody.
private final class Echo: Sendable {
    private let nodes = Mutex<[ClusterNode]>([])

    func backplane(of node: ClusterNode) -> any Backplane {
        nodes.withLock { $0.append(node) }
        return Link(echo: self, node: node)
    }

    private final class Link: Backplane {
        let echo: Echo
        let node: ClusterNode

        init(echo: Echo, node: ClusterNode) { (self.echo, self.node) = (echo, node) }

        func start() { node.noteConnected() }
        func stop() async {}
        func setInterest(_ isInterested: Bool, in topic: Topic) {}

        func publish(_ payload: RawSpan, isText: Bool, to topic: Topic) -> BackplaneResult {
            for node in echo.nodes.withLock({ $0 }) { node.receive(payload, isText: isText, for: topic) }
            return .accepted
        }
    }
}
