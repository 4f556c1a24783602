internal import Synchronization

/// The receiving end of retained messages; `TopicRegistry+Retain.swift` says why nobody misses one or gets one twice.
extension SubscriptionTable {
    /// The frame that the topic just subscribed to retains. Called once, right after `subscribe` returned `added`.
    package func takeRetained(by list: MembershipList) -> [UInt8]? {
        let membership = memberships[list.head]
        let topic = self[Int(membership.topic)]
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard topic.entry.retainedCount > 0 else { return nil }
        return topic.entry.withRetained { retained in
            topic.setFloor(topic.entry.retainedCount, at: Int(membership.position))
            return retained
        }
    }

    /// Whether a frame with this stamp is for every subscriber here: none has subscribed too late for it. O(1).
    package func isForAll(_ entry: TopicEntry, stamp: UInt64) -> Bool {
        guard stamp < entry.retainedCount, let topic = localTopic(of: entry) else { return true }
        return stamp >= topic.newestFloor
    }

    /// The subscribers here that a frame with this stamp is for. O(subscribers).
    package func subscribers(of entry: TopicEntry, stamp: UInt64) -> [Subscriber] {
        guard let topic = localTopic(of: entry) else { return unsafe [] }
        return unsafe (0..<topic.end).compactMap { position in
            let member = topic[position]
            return unsafe topic.isFor(stamp, member) ? member.subscriber : nil
        }
    }
}
