// PubSub: who subscribes to what, and what of it loops share: no I/O, no clock, and of frames no more than their bytes.
//
// Each loop has a `SubscriptionTable` (`+Subscribe`, `+Visit`, `+Retain`), which keeps a `LocalTopic` for each topic,
// and a `MembershipList` for each subscriber. Loops share the `TopicRegistry`, which gives out a `TopicEntry` for each
// `Topic`, and hand each other `SharedFrame`s.

/// One loop's topics and who subscribes to them here. Belongs to its loop: no locks, not Sendable.
///
/// Every loop's table shares one `TopicRegistry`, and tells it by one bit per topic whether it has subscribers. A topic
/// that is published to, or whose last subscriber left, stays known for a while, so that the next publish or subscribe
/// is one dictionary probe without the registry's lock; such idle topics are bounded and then forgotten together.
@usableFromInline package final class SubscriptionTable {
    /// an address, compared and handed back.
    @usableFromInline package typealias Subscriber = UnsafeMutableRawPointer

    package let loop: Int
    let registry: TopicRegistry
    let maxTopicsPerSubscriber: Int
    /// So many topics may be idle, or half of all, before they are forgotten.
    private let idleTopicLimit: Int

    private var indices: [Topic: Int] = [:]
    private let recentTopics = RecentTopics()
    /// Without a run-time check of exclusivity, which a publish would pay twice: each use is one load, or one change
    /// that calls nobody.
    @exclusivity(unchecked) private var topics: [LocalTopic] = []
    /// Topics without members here.
    private var idleCount = 0

    /// How many subscribers, on all loops, the topic had right after somebody here joined or left it last. When several
    /// loops change a count at once, each has the number that its own change led to.
    package internal(set) var changedCount = 0

    var memberships = MembershipSlab()
    /// Visits that are under way, one inside the other.
    var visits = 0
    /// Places emptied during the visits.
    var vacancies: [(topic: Int, position: Int)] = []

    package init(
        loop: Int, registry: TopicRegistry, maxTopicsPerSubscriber: Int = 10_000, idleTopicLimit: Int = 512
    ) {
        precondition(loop >= 0 && loop < registry.loopCount, "no such loop")
        self.loop = loop
        self.registry = registry
        self.maxTopicsPerSubscriber = maxTopicsPerSubscriber
        self.idleTopicLimit = idleTopicLimit
    }

    deinit {
        for topic in unsafe topics {
            let subscribers = topic.subscriberCount
            if topic.behindCount > 0 { topic.entry.setBehind(of: loop, false) }
            if subscribers > 0 {
                topic.entry.setInterest(of: loop, false)
                topic.entry.addSubscribers(-subscribers, on: loop, count: 0)
            }
            forget(topic)
        }
    }

    /// The entry to publish with. A few comparisons for a topic of late, else a dictionary probe; the lock only for a
    /// topic that is new here.
    package func entry(for topic: Topic) -> TopicEntry { self[index(for: topic)].entry }

    /// The entry that `entry`'s topic has now, which is another one if all tables have forgotten the topic meanwhile.
    /// Costs a comparison while this table knows the topic, else what `entry(for:)` costs.
    package func currentEntry(of entry: TopicEntry) -> TopicEntry {
        entry.localIndex(of: loop) == nil ? self.entry(for: entry.topic) : entry
    }

    /// How many subscribe to the topic on this loop: members that are leaving do not. O(1).
    package func localSubscriberCount(of entry: TopicEntry) -> Int { localTopic(of: entry)?.subscriberCount ?? 0 }

    /// How many members a visit would meet, those that are leaving too. O(1).
    package func localMemberCount(of entry: TopicEntry) -> Int { localTopic(of: entry)?.count ?? 0 }

    /// Topics known here, idle ones too.
    var topicCount: Int { indices.count }
    /// Places for topics in memory.
    var topicCapacity: Int { max(unsafe topics.capacity, indices.capacity) }

    subscript(index: Int) -> LocalTopic { unsafe topics[index] }

    /// The topic as this table knows it, if it does.
    @inline(__always) func localTopic(of entry: TopicEntry) -> LocalTopic? {
        guard let index = entry.localIndex(of: loop) else { return nil }
        return self[index]
    }

    func knownIndex(of topic: Topic) -> Int? { indices[topic] }

    func index(for topic: Topic) -> Int {
        if let index = recentTopics.index(of: topic) { return index }
        if let index = indices[topic] {
            recentTopics.note(topic, at: index)
            return index
        }
        forgetIdleTopicsIfMany()
        let entry = registry.entry(for: topic)
        let index = unsafe topics.count
        unsafe topics.append(LocalTopic(entry: entry))
        indices[topic] = index
        entry.setLocalIndex(of: loop, index)
        idleCount += 1
        return index
    }
}

// MARK: First and last members

extension SubscriptionTable {
    /// Counts a member that was added to the topic.
    func memberJoined(_ index: Int, _ standing: Standing) {
        if self[index].count == 1 { idleCount -= 1 }
        recount(self[index], from: nil, to: standing)
    }

    /// Counts out a member that was taken out of the topic.
    func memberLeft(_ index: Int, _ standing: Standing) {
        recount(self[index], from: standing, to: nil)
        guard self[index].count == 0 else { return }
        self[index].entry.clearVariants(of: loop)
        idleCount += 1
    }
}

// MARK: Idle topics

extension SubscriptionTable {
    /// Invalidates indices, so that none may be in use. O(topics), but only after as many became idle.
    func forgetIdleTopicsIfMany() {
        if visits > 0 || idleCount <= max(idleTopicLimit, indices.count / 2) { return }
        var kept: [LocalTopic] = []
        recentTopics.removeAll()
        for topic in unsafe topics {
            if topic.count > 0 {
                kept.append(topic)
            } else {
                indices[topic.entry.topic] = nil
                forget(topic)
            }
        }
        idleCount = 0
        renumber(kept)
    }

    private func forget(_ topic: LocalTopic) {
        topic.entry.setLocalIndex(of: loop, nil)
        registry.relinquish(topic.entry)
    }

    /// Packs the topics that are left, so that the memory of those forgotten is given back.
    private func renumber(_ kept: [LocalTopic]) {
        unsafe topics = kept
        indices.shrinkIfSparse()
        for index in kept.indices {
            let topic = self[index]
            topic.entry.setLocalIndex(of: loop, index)
            indices[topic.entry.topic] = index
            for position in 0..<topic.end {
                memberships[topic[position].membership].topic = UInt32(index)
            }
        }
    }
}
