public import Ringcast
import Synchronization

/// An engine in this process, for tests of what is built on a cluster: every server whose configuration says
/// `cluster: .inMemory(engine)` is a node of it. Messages are handed over within the publishing call, which costs
/// locks; it remembers topics with history. Any thread.
public final class InMemoryEngine: Sendable {
    private let nodes = Mutex<[InMemoryBackplane]>([])
    private let histories = Mutex(InMemoryHistories())

    /// An engine without nodes.
    public init() {}

    /// Cuts a server off, or connects it again: what it publishes meanwhile waits, as with any engine, and what others
    /// publish it misses.
    public func setReachable(_ isReachable: Bool, for server: Server) { node(of: server)?.setReachable(isReachable) }

    /// Cuts all servers off, or connects them again.
    public func setReachable(_ isReachable: Bool) {
        for node in nodes.withLock({ $0 }) { node.setReachable(isReachable) }
    }

    /// Loses the next messages that it would send to a server, as networks and slow readers have it.
    public func loseMessages(_ count: Int, to server: Server) { node(of: server)?.loseMessages(count) }

    /// Starts anew while nobody reaches it: cut all servers off before.
    /// - Parameter count: how many of each topic's newest messages are lost, such as by an engine that writes to its
    ///   disk now and then; nil for everything.
    public func restart(losing count: Int?) { histories.withLock { $0.restart(losing: count) } }

    private func node(of server: Server) -> InMemoryBackplane? {
        guard let id = server.clusterNodeID else { return nil }
        return nodes.withLock { $0.first { $0.node.id == id } }
    }

    func add(_ backplane: InMemoryBackplane) { nodes.withLock { $0.append(backplane) } }

    func remove(_ backplane: InMemoryBackplane) { nodes.withLock { $0.removeAll { $0 === backplane } } }

    func publish(_ message: InMemoryMessage, of publisher: InMemoryBackplane) {
        for node in nodes.withLock({ $0 }) where node !== publisher { node.receive(message) }
    }

    func append(_ message: InMemoryAppend) {
        let nodes = nodes.withLock { $0 }
        // Sent under the lock: in the order of the numbers.
        histories.withLock { histories in
            let position = histories.append(
                message.bytes, to: message.topic, keeping: message.bounds, retain: message.retain)
            for node in nodes { node.receive(message.bytes, at: position, of: message.topic) }
        }
    }

    func read(_ topic: Topic, after position: Position?, ticket: UInt64) -> HistoryPage {
        histories.withLock { $0.read(topic, after: position, ticket: ticket) }
    }
}

extension Cluster {
    /// Topics over an engine in this process, for tests.
    /// - Parameters:
    ///   - engine: the servers of one are a cluster.
    ///   - waitingMessages: how many messages of a server may wait while it is cut off.
    ///   - interestLinger: see `Cluster.interestLinger`.
    ///   - events: see `Cluster.events`.
    public static func inMemory(
        _ engine: InMemoryEngine, waitingMessages: Int = 1_000, interestLinger: Duration = .seconds(5),
        events: (@Sendable (Server, ClusterEvent) -> Void)? = nil
    ) -> Cluster {
        Cluster(interestLinger: interestLinger, events: events) { node throws(ServerError) in
            InMemoryBackplane(engine, node, waitingMessages: waitingMessages)
        }
    }
}
