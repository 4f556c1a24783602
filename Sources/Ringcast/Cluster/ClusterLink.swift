import PubSub
import Reactor
import Synchronization
import WebSocketProtocol

/// What a server has where it is a node of a cluster: between its loops and the backplane. Any thread.
final class ClusterLink: Sendable {
    let node: ClusterNode
    let backplane: any Backplane
    /// The backplane, if its engine remembers.
    let history: (any HistoryBackplane)?

    /// What a configuration asks for; nil where it names no cluster.
    /// - Throws: what the backplane objects to.
    convenience init?(_ configuration: ServerConfiguration) throws(ServerError) {
        guard let cluster = configuration.cluster else { return nil }
        let rule = configuration.topics.first { $0.history != nil && $0.scope != .local }
        try self.init(cluster, keepsHistories: rule != nil)
        guard history == nil, let rule else { return }
        throw ServerError(
            "topics with history need an engine that remembers, which the cluster's does not: "
                + "give the rule for \(rule.pattern) the scope .local",
            code: .invalidConfiguration)
    }

    private init(_ cluster: Cluster, keepsHistories: Bool) throws(ServerError) {
        node = ClusterNode(cluster, keepsHistories: keepsHistories)
        backplane = try cluster.makeBackplane(node)
        history = backplane as? any HistoryBackplane
    }

    /// Begins to connect, for a server that runs.
    func start(_ core: SocketCore) {
        node.attach(core)
        backplane.start()
        node.interest.begin(telling: backplane, history, core.registry)
        beginNotices(on: core)
    }

    /// Hands the engine what was published, and lets go of it, for a server whose loops have ended.
    func stop() async {
        node.loopsHaveEnded()
        node.interest.end()
        node.roster.end()
        say(.gone(node: node.id))
        await backplane.stop()
        // Nobody would tell of them later.
        node.tellDrops(atOnce: true)
        node.detach()
    }

    /// Hands a message to the other nodes that are interested.
    func publish(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, to topic: Topic) -> SocketLoop.Reach {
        node.counters.published.add(1, ordering: .relaxed)
        // Safe: the span is used during the call alone.
        switch backplane.publish(unsafe payload.bytes, isText: opcode == .text, to: topic) {
        case .accepted: return (1, 0)
        case .waiting: return (1, 1)
        case .dropped:
            node.noteDropped(1)
            return (0, 1)
        }
    }

    /// Has the engine number a message of a history, and send it to all nodes.
    func append(_ message: [UInt8], to topic: Topic, keeping bounds: TopicRule.History, retain: Bool) -> BackplaneResult
    {
        node.counters.published.add(1, ordering: .relaxed)
        let result = history?.append(message, to: topic, keeping: bounds, retain: retain) ?? .dropped
        if result == .dropped { node.noteDropped(1) }
        return result
    }

    /// Asks the engine what it has of a history.
    /// - Returns: the number that the answer will have.
    func read(_ topic: Topic, after position: Position) -> UInt64 {
        let ticket = node.interest.nextTicket()
        history?.read(topic, after: position, ticket: ticket)
        return ticket
    }

    /// Whether a topic's messages cross to other nodes.
    @inline(__always)
    static func isShared(_ entry: TopicEntry) -> Bool { entry.policy & TopicScope.mask == 0 }

    /// Hears of a loop's first subscriber of a topic, and of the end of the last, on that loop.
    func interestChanged(in entry: TopicEntry, _ isInterested: Bool) {
        guard Self.isShared(entry) else { return }
        if isInterested {
            return node.interest.add(entry.topic, hasHistory: entry.history?.rule.isShared ?? false)
        }
        guard let loop = LoopGroup.currentLoop,
            let due = node.interest.remove(entry.topic, now: loop.now)
        else { return }
        loop.wakeHandler(at: due)
    }
}
