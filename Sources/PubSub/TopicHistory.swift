internal import Synchronization

/// What is kept of a topic's messages. The frames are those that were sent, each once for all loops.
///
/// The topic's home loop, which numbers the messages or learns their numbers, appends; any loop reads when somebody
/// subscribes; any thread may empty it when all topics together keep too much. While it keeps anything it uses the
/// topic's entry, as a table does.
package final class TopicHistory: Sendable {
    package let rule: HistoryRule
    private let ownEpoch: UInt64
    private let kept: Mutex<KeptFrames>
    /// Bytes kept, for the ledger.
    private let byteCount = Atomic(0)
    /// When it was appended to or read last, in milliseconds.
    private let lastUse = Atomic<UInt64>(0)

    init(rule: HistoryRule, epoch: UInt64) {
        self.rule = rule
        ownEpoch = epoch
        kept = Mutex(KeptFrames(rule.isShared ? .unknown : Numbering(epoch: epoch)))
    }

    /// The numbering's name: no other topic's, and not the same topic's when its entry has been made anew. 0 while the
    /// numbering of a shared history is not known.
    package var epoch: UInt64 { rule.isShared ? withKept { $0.numbering.epoch } : ownEpoch }

    /// The position of a message by its frame's stamp; nil for one of an earlier numbering.
    package func position(ofStamp stamp: UInt64) -> Position? {
        rule.isShared
            ? withKept { $0.numbering.position(ofStamp: stamp) } : Position(epoch: ownEpoch, offset: stamp + 1)
    }

    /// Runs `body` under the lock.
    func withKept<Result>(_ body: (inout KeptFrames) -> Result) -> Result {
        kept.withLock { kept in
            defer { byteCount.store(kept.byteCount, ordering: .relaxed) }
            return body(&kept)
        }
    }

    /// A recent value. Any thread.
    var keptByteCount: Int { byteCount.load(ordering: .relaxed) }
    /// A recent value. Any thread.
    var usedLast: UInt64 { lastUse.load(ordering: .relaxed) }

    func noteUse(_ now: UInt64) { lastUse.store(now, ordering: .relaxed) }

    /// How many messages are kept, and in how much memory. A lock. Any thread.
    package var size: (messages: Int, bytes: Int) { withKept { ($0.count, $0.byteCount) } }
}
