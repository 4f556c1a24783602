internal import Synchronization

/// Histories that somebody else numbers and keeps for several servers: what is kept here is a copy of its end, and goes
/// on as long as each message has the offset behind the last one. The topic's home loop alone changes them, but for
/// `forgetNumbering`.
///
/// Stamps stay this server's own: its loops know by them what has come through their lanes. Each numbering begins at a
/// stamp above all earlier ones, with room below for what it has numbered before anybody here listened.
extension TopicRegistry {
    /// Goes on in a numbering, with nothing kept, behind an offset.
    /// - Parameter earlier: the numberings before, newest first, and where each ended.
    package func begin(_ epoch: UInt64, earlier: [Position], behind offset: UInt64, in entry: TopicEntry) {
        change(entry) { kept in
            // Stamps never run out, whatever a keeper says.
            let first = entry.countRetained(min(offset, UInt64.max / 2 - min(entry.retainedCount, UInt64.max / 2)))
            kept.begin(Numbering(epoch: epoch, firstStamp: first, earlier: earlier), behind: offset)
        }
    }

    /// Keeps messages that were published before those that are kept, and that nobody here gets now. Takes the frames,
    /// with stamps that `SharedHistoryState.stamp` gives.
    /// - Parameter older: the messages right before the first one that is kept, oldest first, and when each was
    ///   published.
    package func prepend(_ older: [(frame: SharedFrame, time: UInt64)], in entry: TopicEntry) {
        let isTooMuch = change(entry) { kept in
            kept.prepend(older, rule: entry.history!.rule)
        }
        if isTooMuch { forgetHistories() }
    }

    /// Notes the offset of the oldest message that the keeper has: with nothing older than that missing here, a
    /// position before it is a gap.
    package func noteOldest(_ offset: UInt64, in entry: TopicEntry) {
        entry.history?.withKept { $0.isWhole = $0.isWhole || $0.first <= offset }
    }

    /// Notes that nobody tells any more how the numbering goes on. Any thread.
    package func forgetNumbering(of topic: Topic) {
        guard let entry = find(topic), entry.history?.rule.isShared ?? false else { return }
        change(entry) { $0.begin(.unknown, behind: 0) }
    }

    /// Has the topic retain a message that was published before anybody here listened, for those that come from now on.
    package func adoptRetained(_ frame: [UInt8], in entry: TopicEntry) {
        entry.withRetained { _ = replace(&$0, by: frame, in: entry) }
    }

    @discardableResult
    private func change(_ entry: TopicEntry, _ body: (inout KeptFrames) -> Void) -> Bool {
        guard let history = entry.history else { return false }
        return history.withKept { kept in
            let wasEmpty = kept.count == 0
            body(&kept)
            settleUse(of: entry, wasEmpty: wasEmpty, kept)
            return ledger.account(&kept)
        }
    }
}

/// What is known of a shared history.
package struct SharedHistoryState {
    package let numbering: Numbering
    /// The offset of the oldest message that is kept here; behind the newest where none is.
    package let first: UInt64
    /// The offset of the newest message.
    package let last: UInt64
    /// Whether all is kept here that the keeper has.
    package let isWhole: Bool

    package var position: Position { Position(epoch: numbering.epoch, offset: last) }

    /// The stamp of a message of this numbering.
    package func stamp(of offset: UInt64) -> UInt64 { numbering.firstStamp + offset - 1 }
}

extension TopicHistory {
    /// A lock. Any thread.
    package var state: SharedHistoryState {
        withKept {
            SharedHistoryState(numbering: $0.numbering, first: $0.first, last: $0.last, isWhole: $0.isWhole)
        }
    }
}
