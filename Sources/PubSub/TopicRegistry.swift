internal import Synchronization

/// The one place where a topic's name becomes its entry. Any thread; a lock, which loops take only for topics that
/// their table does not know.
///
/// An entry lives as long as any table uses it. Since a table that knows a topic always knows the registry's current
/// entry, no publish can look at one that has been replaced.
package final class TopicRegistry: Sendable {
    private struct Use {
        let entry: TopicEntry
        /// How many tables know the entry; a retained frame counts as one.
        var tables: Int
    }

    package let loopCount: Int
    private let uses = Mutex<[Topic: Use]>([:])
    /// The policies of topics that have one of their own, kept while their entries come and go. Where both locks are
    /// taken, this one is taken inside `uses`.
    private let ownPolicies = Mutex<[Topic: PolicyBits]>([:])
    private let defaultPolicy: @Sendable (Topic) -> UInt32
    private let historyRule: @Sendable (Topic) -> HistoryRule?
    /// Hears of a loop's first subscriber of a topic, and of the end of its last; on that loop.
    let interestChanged: (@Sendable (TopicEntry, Bool) -> Void)?
    /// The name of the numbering that was begun last. It begins anywhere, so that no two servers use one name.
    private let epoch = Atomic(UInt64.random(in: 1...1 << 52))
    let retention: Mutex<Retention>
    let ledger: HistoryLedger

    /// - Parameters:
    ///   - policy: gives a topic's policy, as far as `setPolicy` has said nothing about it. Called under a lock.
    ///   - retainedTopics: how many topics may retain a frame.
    ///   - retainedBytes: how many bytes these frames may have in all.
    ///   - historyBytes: how much memory all histories may take.
    ///   - history: gives what is to be kept of a topic. Called under a lock.
    ///   - interestChanged: hears of a loop's first subscriber of a topic, and of the end of its last, on that loop.
    package init(
        loopCount: Int, retainedTopics: Int = .max, retainedBytes: Int = .max, historyBytes: Int = .max,
        policy: @escaping @Sendable (Topic) -> UInt32 = { _ in 0 },
        history: @escaping @Sendable (Topic) -> HistoryRule? = { _ in nil },
        interestChanged: (@Sendable (TopicEntry, Bool) -> Void)? = nil
    ) {
        precondition(loopCount > 0, "there is at least one loop")
        defaultPolicy = policy
        historyRule = history
        self.interestChanged = interestChanged
        ledger = HistoryLedger(byteLimit: historyBytes)
        self.loopCount = loopCount
        retention = Mutex(Retention(topicLimit: retainedTopics, byteLimit: retainedBytes))
    }

    // Frames keep their topics' entries, which keep the histories that keep the frames.
    deinit { entries().forEach { $0.history?.withKept { $0.removeAll() } } }

    /// The entry of a topic that some loop uses; nil where nobody subscribes to it anywhere.
    package func find(_ topic: Topic) -> TopicEntry? { uses.withLock { $0[topic]?.entry } }

    /// The topics that have subscribers, in no order. O(topics) under the lock: for listings.
    package func list() -> [(topic: String, subscribers: Int)] {
        uses.withLock { uses in
            uses.values.compactMap { use in
                let subscribers = use.entry.subscriberCount
                return subscribers > 0 ? (use.entry.topic.name, subscribers) : nil
            }
        }
    }

    /// Gives a topic some bits of the policy for its own, whether or not anybody uses the topic; nil takes them back.
    /// - Parameter mask: which bits; all others stay.
    package func setPolicy(_ bits: UInt32?, in mask: UInt32, for topic: Topic) {
        uses.withLock { uses in
            ownPolicies.withLock { policies in
                var own = policies[topic] ?? PolicyBits()
                own.set(bits, in: mask)
                policies[topic] = own.mask == 0 ? nil : own
            }
            uses[topic]?.entry.setPolicy(policy(of: topic))
        }
    }

    /// The policy of a topic: its own bits over those of the default.
    package func policy(of topic: Topic) -> UInt32 {
        let own = ownPolicies.withLock { $0[topic] } ?? PolicyBits()
        return own.over(defaultPolicy(topic))
    }

    /// Topics known, with those that tables keep although nobody subscribes.
    var count: Int { uses.withLock { $0.count } }

    /// The entry of a topic, found or made, and claimed: for a table that gets to know the topic, or whoever is about
    /// to retain something. Each claim ends with a `relinquish`.
    package func entry(for topic: Topic) -> TopicEntry {
        uses.withLock { uses in
            if let entry = uses[topic]?.entry {
                uses[topic]!.tables += 1
                return entry
            }
            let entry = TopicEntry(
                topic: topic, loopCount: loopCount, policy: policy(of: topic), history: makeHistory(of: topic))
            uses[topic] = Use(entry: entry, tables: 1)
            return entry
        }
    }

    private func makeHistory(of topic: Topic) -> TopicHistory? {
        historyRule(topic).map { rule in
            var rule = rule
            rule.bytes = min(rule.bytes, ledger.byteLimit)
            return TopicHistory(rule: rule, epoch: epoch.add(1, ordering: .relaxed).newValue)
        }
    }

    /// The entries in use. O(topics) under the lock.
    func entries() -> [TopicEntry] { uses.withLock { $0.values.map(\.entry) } }

    /// Claims once more an entry that is in use.
    func claim(_ entry: TopicEntry) { uses.withLock { $0[entry.topic]!.tables += 1 } }

    /// Ends a claim. With the last the entry goes.
    package func relinquish(_ entry: TopicEntry) {
        uses.withLock { uses in
            uses[entry.topic]!.tables -= 1
            if uses[entry.topic]!.tables == 0 {
                uses[entry.topic] = nil
                uses.shrinkIfSparse()
            }
        }
    }
}

/// Some bits of a policy, and which: those in `mask`.
private struct PolicyBits {
    private var bits: UInt32 = 0
    private(set) var mask: UInt32 = 0

    mutating func set(_ bits: UInt32?, in mask: UInt32) {
        self.bits = self.bits & ~mask | (bits ?? 0) & mask
        self.mask = bits == nil ? self.mask & ~mask : self.mask | mask
    }

    func over(_ policy: UInt32) -> UInt32 { policy & ~mask | bits }
}

extension Dictionary {
    /// Gives memory back once a large dictionary has become nearly empty. Amortised O(1) per removal.
    mutating func shrinkIfSparse() {
        if capacity < 1_024 || count > capacity / 8 { return }
        var smaller = Dictionary(minimumCapacity: count * 2)
        for (key, value) in self { smaller[key] = value }
        self = smaller
    }
}
