import Reactor
import Synchronization

/// What one loop counts, written on its thread only. All fields have one width, since `PublishedCounters` copies them
/// word by word.
struct LoopCounters: BitwiseCopyable {
    var messagesIn: UInt64 = 0
    var messagesOut: UInt64 = 0
    var messagesOverRate: UInt64 = 0
    var publishes: UInt64 = 0
    var framesEncoded: UInt64 = 0
    var framesDeflated: UInt64 = 0
    /// Bytes of messages inflated: what bounds a turn.
    var inflatedBytes: UInt64 = 0
    var deliveries: UInt64 = 0
    /// Messages for one socket alone that found its queue at the limit; then a topic's, by the topic's policy.
    var dropsDirect: UInt64 = 0
    var dropsNewest: UInt64 = 0
    var dropsOldest: UInt64 = 0
    var dropsLatest: UInt64 = 0
    var dropsClosing: UInt64 = 0
    var dropsClosed: UInt64 = 0
    var dropsInLanes: UInt64 = 0
    var dropsEvicted: UInt64 = 0
    var dropsSuperseded: UInt64 = 0
    var sockets: UInt64 = 0
    /// Open streams of server-sent events.
    var eventStreams: UInt64 = 0
    var pendingRequests: UInt64 = 0
    /// Subscribers that frames were queued for, counted once per frame: what bounds a turn.
    var fanOutWork: UInt64 = 0
    /// The `fanOutWork` at which a topic is noted for it next.
    var fanOutSample: UInt64 = 1
    /// Frames of the `FanOutRun` under way.
    var unsettledFrames: UInt64 = 0
    /// Times that a socket fell behind.
    var backpressureEvents: UInt64 = 0
    /// Messages that fan-outs have dropped or evicted, all policies together: the topic under way is noted for them.
    var fanOutDrops: UInt64 = 0

    /// Messages that found a socket's queue at the limit.
    var dropsAtLimit: UInt64 { dropsDirect + dropsNewest + dropsOldest + dropsLatest + dropsClosing }
}

/// A copy of a loop's counters that any thread may read. The loop refreshes it once per turn, and so writes to no cache
/// line that another loop writes to, or another thread.
final class PublishedCounters: Sendable {
    private let roomBefore = CacheLine()
    private let words = InlineArray<25, Atomic<UInt64>> { _ in Atomic(0) }
    private let roomBehind = CacheLine()
    /// Forms that threads other than loops have deflated, messages of theirs that this loop could not take, and
    /// messages that they have published.
    private let foreignDeflated = Atomic<UInt64>(0)
    private let foreignDrops = Atomic<UInt64>(0)
    private let foreignPublishes = Atomic<UInt64>(0)
    /// What is counted as it happens.
    let events = LoopEvents()
    /// Which topics cause most of it.
    let topics = TopicMeters()

    /// Publishes the loop's counters. Called by the loop.
    func store(_ counters: LoopCounters) {
        // Safe, as in `load`: the struct is so many words and nothing else, which a test checks.
        unsafe withUnsafeBytes(of: counters) { bytes in
            for index in words.indices {
                let word = unsafe bytes.load(fromByteOffset: index * MemoryLayout<UInt64>.size, as: UInt64.self)
                words[index].store(word, ordering: .relaxed)
            }
        }
    }

    /// Counts a message for so many sockets of this loop that it could not take. Any thread.
    func countForeignDrop(of sockets: Int = 1) { foreignDrops.add(UInt64(sockets), ordering: .relaxed) }

    /// Counts a message that a thread other than a loop publishes. Any thread.
    func countForeignPublish() { foreignPublishes.add(1, ordering: .relaxed) }

    /// Counts the forms that a thread other than a loop has deflated. Any thread.
    func countForeignDeflated(_ count: Int) { foreignDeflated.add(UInt64(count), ordering: .relaxed) }

    /// What the loop last stored, with what other threads have counted. Each figure is true of a moment of its own.
    func load() -> LoopCounters {
        var counters = LoopCounters()
        unsafe withUnsafeMutableBytes(of: &counters) { bytes in
            for index in words.indices {
                let word = words[index].load(ordering: .relaxed)
                unsafe bytes.storeBytes(of: word, toByteOffset: index * MemoryLayout<UInt64>.size, as: UInt64.self)
            }
        }
        counters.framesDeflated += foreignDeflated.load(ordering: .relaxed)
        counters.publishes += foreignPublishes.load(ordering: .relaxed)
        counters.dropsInLanes += foreignDrops.load(ordering: .relaxed)
        return counters
    }
}
