/// How a subscriber stands to its topics, which count it accordingly. The subscriber's owner keeps the standing, tells
/// the table of each change, and gives it wherever a membership begins or ends.
package enum Standing: Hashable, Sendable {
    case keepsUp
    /// Something waits for the subscriber that it has not taken.
    case behind
    /// The subscriber is closing: a member until its last word is said, a subscriber no more.
    case leaving

    /// Whether a member with this standing is a subscriber.
    var isCounted: Bool { self != .leaving }
}

extension SubscriptionTable {
    /// Notes that a subscriber's standing has changed. O(topics of the subscriber), the newest first.
    /// - Parameter body: is told of each topic whose count of subscribers this changed, and what it is now.
    package func change(
        _ list: MembershipList, from old: Standing, to new: Standing, _ body: (Topic, Int) -> Void = { _, _ in }
    ) {
        var index = list.head
        while index != Membership.none {
            let topic = self[Int(memberships[index].topic)]
            recount(topic, from: old, to: new)
            if old.isCounted != new.isCounted { body(topic.entry.topic, changedCount) }
            index = memberships[index].next
        }
    }

    /// Counts a member of a topic anew: its standing is nil before it joins, and after it has left.
    func recount(_ topic: LocalTopic, from old: Standing?, to new: Standing?) {
        let (wasBehind, isBehind) = (old == .behind, new == .behind)
        if wasBehind != isBehind {
            topic.behindCount += isBehind ? 1 : -1
            if topic.behindCount == (isBehind ? 1 : 0) { topic.entry.setBehind(of: loop, isBehind) }
        }
        let (wasCounted, isCounted) = (old?.isCounted ?? false, new?.isCounted ?? false)
        guard wasCounted != isCounted else { return }
        let difference = isCounted ? 1 : -1
        topic.subscriberCount += difference
        changedCount = topic.entry.addSubscribers(difference, on: loop, count: topic.subscriberCount)
        guard topic.subscriberCount == (isCounted ? 1 : 0) else { return }
        topic.entry.setInterest(of: loop, isCounted)
        registry.interestChanged?(topic.entry, isCounted)
    }

    /// Subscribers of the topic on this loop that are behind now. O(1).
    package func behindCount(of entry: TopicEntry) -> Int { localTopic(of: entry)?.behindCount ?? 0 }
}
