internal import Synchronization

/// Retained messages: the last one of a topic, which a new subscriber gets exactly once and before anything newer,
/// although publishes are on their way between loops while it subscribes. A retained frame uses the topic's entry as a
/// table does.
///
/// Why once: each retained publish of a topic has a number, given under the topic's lock together with the frame's
/// storage. Every publish travels with the number of retained publishes before it (its stamp). A subscriber first
/// becomes visible to publishers, then takes the stored frame and its number n, which is the subscriber's floor: of
/// what comes through lanes it receives only what has a stamp of n or more.
/// - A retained publish numbered n or less is what the subscriber was handed, or older: its stamp is less than n, so it
///   does not come again.
/// - A retained publish numbered above n took its number after the subscriber had been to the lock, and so looks for
///   subscribers after this one had become visible: it goes to the subscriber's loop, with a stamp of n or more.
/// - Where the subscriber finds that nothing was ever retained it does not take the lock. Both sides have a fence
///   between what they write (the number; the interest) and what they read (the interest; the number): one of them sees
///   the other. If each sees the other, the stamp decides as above.
/// - In a topic whose messages have one order, the home loop does all this when it numbers a message, not its
///   publisher.
/// - A publish that is not retained and precedes the n-th retained one on its loop has a stamp below n, so order is
///   kept; one that happens after `subscribe` returned has a stamp of n or more, so it comes.
extension TopicRegistry {
    /// Keeps a frame as the topic's last, if the bounds allow; else the topic has none from now on. The caller, or its
    /// table, uses the entry.
    /// - Returns: the stamp of its publish, which has to look for subscribers after this.
    package func retain(_ frame: [UInt8], in entry: TopicEntry) -> (stamp: UInt64, isKept: Bool) {
        let result = entry.withRetained { retained in
            let isKept = replace(&retained, by: frame, in: entry)
            return (entry.countRetained(), isKept)
        }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return result
    }

    /// Forgets a topic's retained frame, and tells whether there was one.
    package func clearRetained(_ topic: Topic) -> Bool {
        guard let entry = find(topic) else { return false }
        return entry.withRetained { retained in
            guard retained != nil else { return false }
            _ = replace(&retained, by: nil, in: entry)
            return true
        }
    }

    /// How many topics retain a frame, and how many bytes these frames have.
    package var retained: (topics: Int, bytes: Int) { retention.withLock { ($0.topics, $0.bytes) } }

    func replace(_ retained: inout [UInt8]?, by frame: [UInt8]?, in entry: TopicEntry) -> Bool {
        let old = retained
        let isKept = retention.withLock { $0.replace(old?.count, by: frame?.count) }
        retained = isKept ? frame : nil
        if old == nil, isKept { claim(entry) }
        if old != nil, !isKept { relinquish(entry) }
        return isKept
    }
}

/// How much all topics together retain, and how much they may.
struct Retention {
    var topics = 0
    var bytes = 0
    var topicLimit = Int.max
    var byteLimit = Int.max

    /// Counts out a frame of `old` bytes, and in one of `new` bytes, where these are not nil. Tells whether the new one
    /// is kept, for which there may be no room.
    mutating func replace(_ old: Int?, by new: Int?) -> Bool {
        if let old {
            topics -= 1
            bytes -= old
        }
        guard let new, topics < topicLimit, bytes + new <= byteLimit else { return false }
        topics += 1
        bytes += new
        return true
    }
}
