import PubSub
import Reactor
import WebSocketProtocol

/// The way of a publish to other nodes, and of theirs to this one's subscribers.
///
///     published here ─▶ backplane, in the order in which subscribers here get it: by the publisher, or in a topic of
///                       total order by its home loop
///     from an engine ─▶ the loops with subscribers, as a publish of a thread that is no loop; in a topic of total
///                       order by its home loop; never back to the backplane
extension SocketCore {
    /// Hands a message to other nodes, where there are some and the topic is theirs, too.
    @inline(__always)
    func publishToNodes(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, of entry: TopicEntry
    ) -> SocketLoop.Reach {
        guard let cluster, isShared(entry) else { return (0, 0) }
        return unsafe cluster.publish(payload, as: opcode, to: entry.topic)
    }

    /// Whether the topic's messages cross to other nodes.
    @inline(__always)
    func isShared(_ entry: TopicEntry) -> Bool { cluster != nil && ClusterLink.isShared(entry) }

    /// Hands a message of another node to the subscribers here, and tells whether their loops keep up.
    func arrived(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, for topic: Topic) -> Bool {
        guard let group, let entry = registry.find(topic) else { return true }
        // Messages of a history come with their positions: `ClusterNode.receive(_:at:of:)`.
        guard !(entry.history?.rule.isShared ?? false) else { return true }
        guard TopicOrder(word: entry.policy) == .perPublisher else {
            _ = unsafe publishInOrder(
                payload, as: opcode, to: entry, except: nil, retain: false, compress: nil, isRemote: true)
            return !group.isPastWatermark(of: entry.home)
        }
        _ = unsafe publish(payload, as: opcode, to: entry, except: nil, stamp: entry.retainedCount, compress: nil)
        var isKeepingUp = true
        entry.forEachInterestedLoop { if group.isPastWatermark(of: $0) { isKeepingUp = false } }
        return isKeepingUp
    }
}
