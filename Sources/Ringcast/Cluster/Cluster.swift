// Ringcast/Cluster: topics of several servers, as far as the core knows of it. `Backplane` speaks to an engine (Redis,
// NATS: RingcastCluster); `ClusterNode` stands between it and the loops; `ClusterInterest` knows which topics have
// subscribers here. The way of a publish to other nodes: `SocketLoop+Cluster.swift`.

public import PubSub

/// That a server is one of several nodes that share their topics over an engine, such as Redis or NATS: a publish on
/// one reaches the subscribers on all. RingcastCluster has the engines: `cluster: .redis("redis://…")`.
///
/// Topics that a `TopicRule` makes `.local` do not cross. Those with a history need an engine that remembers: it
/// numbers their messages for all nodes. Of others, subscribers on the publishing node are served at once, and
/// never twice; others in the order in which their node published to the topic, at most once. A subscription reaches
/// what other nodes publish once the engine knows of it: a moment after `subscribe` has returned.
public struct Cluster: Sendable {
    /// Makes the server's backplane, or says why there is none.
    let makeBackplane: @Sendable (ClusterNode) throws(ServerError) -> any Backplane
    /// Hears of what happens between this node and its engine. Called on the server's first loop, one event at a time,
    /// a moment later; it must not block. What it publishes goes its usual way. What a stop gives up it hears of when
    /// the loops have ended, on another thread.
    public var events: (@Sendable (Server, ClusterEvent) -> Void)?
    /// How long the engine goes on sending a topic whose last subscriber here has left: people reload pages.
    public var interestLinger: Duration
    /// The node's name, where a test has to know it beforehand; else it is drawn.
    package var nodeID: String?

    /// A cluster over some engine.
    /// - Parameters:
    ///   - interestLinger: by default five seconds.
    ///   - events: see the property of that name.
    ///   - backplane: makes what speaks to the engine, once for each server, on the thread that makes the server. It
    ///     throws what is wrong with what it was configured with, in a sentence; that the engine is away is no error.
    public init(
        interestLinger: Duration = .seconds(5), events: (@Sendable (Server, ClusterEvent) -> Void)? = nil,
        backplane: @escaping @Sendable (ClusterNode) throws(ServerError) -> any Backplane
    ) {
        makeBackplane = backplane
        self.events = events
        self.interestLinger = interestLinger
    }
}

/// What happens between a node and its engine.
@nonexhaustive public enum ClusterEvent: Hashable, Sendable {
    /// The engine takes messages, and sends those of other nodes.
    case connected
    /// The engine is away, for this reason. Local subscribers are served as ever; what is published for other nodes
    /// waits until it is back, as far as there is room.
    case disconnected(String)
    /// The engine is back, and messages of other nodes may be missing: of all topics without history.
    case gap
    /// Messages of this topic, which has a history, have not come to this node's subscribers, and the engine has them
    /// no more: it has lost them, or it had been away for longer than they are kept. What comes from now on is whole
    /// again. Sockets that resume are told by themselves, by `Resumption.gap`.
    case historyGap(Topic)
    /// So many messages for other nodes were given up: there was no room for them, or the connection ended while they
    /// were under way and nobody knows whether the engine has them. Told at most once a second.
    case dropped(Int)
}

/// Whether a topic's messages cross to other nodes.
@nonexhaustive public enum TopicScope: Hashable, Sendable {
    /// They reach subscribers on all nodes. The default.
    case cluster
    /// They reach subscribers of the same server, and cost the engine nothing.
    case local
}

extension TopicScope {
    /// The bit of a topic's policy word that says `local`.
    static let mask: UInt32 = 1 << 10

    var word: UInt32 { self == .local ? Self.mask : 0 }
}

extension ServerConfiguration {
    /// What makes no sense in the cluster together with the rest.
    var clusterObjection: String? {
        guard let cluster else { return nil }
        return Duration.objection(to: [("cluster.interestLinger", cluster.interestLinger)])
    }
}
