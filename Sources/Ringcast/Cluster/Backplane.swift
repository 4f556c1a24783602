public import PubSub

/// Carries messages between the nodes of a cluster over one engine. RingcastCluster has those for Redis and NATS;
/// BackplaneTesting checks any other one against what is said here.
///
/// Every member may be called on any thread, in the middle of a loop's turn, and under a lock of the node's: it must
/// not block, nor hand over messages from within the call. A `publish` may come before `start`, and behind `stop`,
/// where it is dropped. What a call costs, the loop that publishes or subscribes pays.
public protocol Backplane: AnyObject, Sendable {
    /// Begins to connect, and to connect again whenever the engine was away, until `stop`. Called once, at most;
    /// returns at once. Says to the node what comes of it.
    func start()

    /// Hands the engine what was accepted, if that takes less than two seconds or so, and lets go of it. Called once,
    /// at most.
    func stop() async

    /// Takes a message for the nodes that are interested in its topic, but this one. Messages of one calling thread to
    /// one topic keep their order.
    /// - Returns: what becomes of it as far as anybody knows by now. What was accepted and then given up the backplane
    ///   counts: `ClusterNode.noteDropped`.
    func publish(_ payload: RawSpan, isText: Bool, to topic: Topic) -> BackplaneResult

    /// Has the engine send what other nodes publish to a topic, or no longer. Calls for one topic come in their order;
    /// never twice the same.
    func setInterest(_ isInterested: Bool, in topic: Topic)
}

/// What a backplane has done with a message.
public enum BackplaneResult: Hashable, Sendable {
    /// It is on its way.
    case accepted
    /// It waits: the engine is slower than its publishers, or away.
    case waiting
    /// There was no room for it.
    case dropped
}
