internal import Synchronization

/// The one place where a topic's name becomes its entry. Any thread; a lock, which loops take only for topics that
/// their table does not know.
///
/// An entry lives as long as any table uses it. Since a table that knows a topic always knows the registry's current
/// entry, no publish can look at one that has been replaced.
package final class TopicRegistry: Sendable {
    private struct Use {
        let entry: TopicEntry
        /// How many tables know it.
        var tables: Int
    }

    package let loopCount: Int
    private let uses = Mutex<[Topic: Use]>([:])
    private let handOver = Atomic(0)

    package init(loopCount: Int) {
        precondition(loopCount > 0, "there is at least one loop")
        self.loopCount = loopCount
    }

    /// The entry of a topic that some loop uses. nil: nobody subscribes to it anywhere.
    package func find(_ topic: Topic) -> TopicEntry? {
        withUses { $0[topic]?.entry }
    }

    /// The topics that have subscribers, in no order. O(topics) under the lock: for listings.
    package func list() -> [(topic: String, subscribers: Int)] {
        withUses { uses in
            uses.values.compactMap { use in
                let subscribers = use.entry.subscriberCount
                return subscribers > 0 ? (use.entry.topic.name, subscribers) : nil
            }
        }
    }

    /// Topics known, with those that tables keep although nobody subscribes.
    var count: Int { withUses { $0.count } }

    /// For a table that gets to know the topic. Each call is answered by a `relinquish`.
    func entry(for topic: Topic) -> TopicEntry {
        withUses { uses in
            if let entry = uses[topic]?.entry {
                uses[topic]!.tables += 1
                return entry
            }
            let entry = TopicEntry(topic: topic, loopCount: loopCount)
            uses[topic] = Use(entry: entry, tables: 1)
            return entry
        }
    }

    /// For a table that forgets the topic.
    func relinquish(_ entry: TopicEntry) {
        withUses { uses in
            uses[entry.topic]!.tables -= 1
            if uses[entry.topic]!.tables == 0 {
                uses[entry.topic] = nil
                uses.shrinkIfSparse()
            }
        }
    }

    /// ThreadSanitizer does not see into `Mutex`, whose library is not built for it, and would report every use of the
    /// dictionary as a race: the atomic hands it over once more where it can be seen.
    private func withUses<Result>(_ body: (inout [Topic: Use]) -> Result) -> Result {
        uses.withLock { uses in
            _ = handOver.load(ordering: .acquiring)
            defer { handOver.store(0, ordering: .releasing) }
            return body(&uses)
        }
    }
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
