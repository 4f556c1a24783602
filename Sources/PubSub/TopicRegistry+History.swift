internal import Synchronization

/// Histories: what a topic's newest messages were, for whoever has missed some of them.
///
/// The law: who subscribes after position p gets exactly the topic's messages behind p, in the order of their offsets,
/// whichever loops publish, subscribe and trim meanwhile. Why it holds:
/// - The home loop numbers a message and keeps it in one step under the history's lock, and looks for loops with
///   subscribers after that. A subscriber first becomes visible to it, then reads under the lock what is kept, and up
///   to which number n there is anything. So a message is among those read, or its home loop finds the subscriber's
///   loop interested.
/// - Each message travels with the number of messages before it, its stamp, and n is the subscriber's floor, exactly as
///   with retained messages (`TopicRegistry+Retain.swift`): what was read does not come once more, whatever is still
///   in a lane.
/// - Behind n they come through one lane, which keeps their order, or, on the home loop, as they are numbered.
extension TopicRegistry {
    /// Numbers a message and keeps its frame. Called by the topic's home loop, which then hands the frame out; its
    /// stamp is `entry.retainedCount` before this.
    /// - Parameters:
    ///   - retain: whether the topic retains it, too, for those that come without a position.
    ///   - now: the loop's time in milliseconds.
    package func keep(_ frame: SharedFrame, of history: TopicHistory, in entry: TopicEntry, retain: Bool, now: UInt64) {
        history.noteUse(now)
        let isTooMuch = history.withKept { kept in
            let wasEmpty = kept.count == 0
            kept.append(frame, rule: history.rule, now: now)
            if retain {
                _ = self.retain(unsafe [UInt8](frame.bytes), in: entry)
            } else {
                entry.countRetained()
            }
            settleUse(of: entry, wasEmpty: wasEmpty, kept)
            return ledger.account(&kept)
        }
        if isTooMuch { forgetHistories() }
    }

    /// Forgets what is kept of a topic, and tells how many messages that were. Its numbering goes on while anybody uses
    /// the topic. Any thread.
    package func forgetHistory(of topic: Topic) -> Int { find(topic).map { forgetHistory(of: $0) } ?? 0 }

    /// How many topics keep messages, and in how much memory. O(topics) under the registry's lock.
    package var histories: (topics: Int, bytes: Int) {
        let sizes = entries().compactMap(\.history?.keptByteCount).filter { $0 > 0 }
        return (sizes.count, sizes.reduce(0, +))
    }

    private func forgetHistory(of entry: TopicEntry) -> Int {
        guard let history = entry.history else { return 0 }
        return history.withKept { kept in
            let count = kept.count
            kept.removeAll()
            if history.rule.isShared { kept.isWhole = false }
            settleUse(of: entry, wasEmpty: count == 0, kept)
            _ = ledger.account(&kept)
            return count
        }
    }

    /// Claims the entry while the history keeps anything. Whoever calls uses it for another reason, or the claim.
    func settleUse(of entry: TopicEntry, wasEmpty: Bool, _ kept: borrowing KeptFrames) {
        if wasEmpty, kept.count > 0 { claim(entry) }
        if !wasEmpty, kept.count == 0 { relinquish(entry) }
    }

    /// Empties the histories that were used the longest time ago, until an eighth of what all may have is free. Costs a
    /// sort of all topics, once for as many bytes.
    func forgetHistories() {
        let candidates = entries().filter { ($0.history?.keptByteCount ?? 0) > 0 }
            .sorted { $0.history!.usedLast < $1.history!.usedLast }
        for entry in candidates {
            guard ledger.byteCount > ledger.byteLimit - ledger.byteLimit / 8 else { return }
            _ = forgetHistory(of: entry)
        }
    }
}

/// How much all topics' histories keep together, and how much they may.
final class HistoryLedger: Sendable {
    let byteLimit: Int
    private let bytes = Atomic(0)

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Bytes kept, as far as they are accounted for. Any thread.
    var byteCount: Int { bytes.load(ordering: .relaxed) }

    /// Accounts for what a history keeps, and tells whether all together keep too much. So that loops seldom write to
    /// the same word, small changes of a history wait: up to an eighth of it.
    func account(_ kept: inout KeptFrames) -> Bool {
        let memory = kept.count == 0 ? 0 : kept.byteCount + Self.topicMemory
        let change = memory - kept.accounted
        guard change != 0, abs(change) >= kept.accounted / 8 || memory == 0 else { return false }
        kept.accounted = memory
        return bytes.add(change, ordering: .relaxed).newValue > byteLimit
    }

    /// What a topic takes in memory that is there for its history alone: its entry and its place in the registry.
    private static let topicMemory = 512
}
