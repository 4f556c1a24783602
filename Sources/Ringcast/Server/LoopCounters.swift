import Synchronization

/// What one loop counts about messages: plain numbers, written on the loop's thread only.
struct LoopCounters {
    var messagesIn: UInt64 = 0
    var messagesOut: UInt64 = 0
    var publishes: UInt64 = 0
    var framesEncoded: UInt64 = 0
    var framesDeflated: UInt64 = 0
    /// For the budget of a turn.
    var inflatedBytes: UInt64 = 0
    var deliveries: UInt64 = 0
    var dropsAtLimit: UInt64 = 0
    var dropsClosed: UInt64 = 0
    var dropsInLanes: UInt64 = 0
    var dropsEvicted: UInt64 = 0
    var dropsSuperseded: UInt64 = 0
    var sockets: UInt64 = 0
    var pendingRequests: UInt64 = 0
    /// Subscribers that frames were queued for, counted once per frame: what bounds a turn.
    var fanOutWork: UInt64 = 0
    /// Frames of the `FanOutRun` under way.
    var unsettledFrames: UInt32 = 0
}

/// A copy of a loop's counters that any thread may read. The loop refreshes it once per turn.
final class PublishedCounters: Sendable {
    private let messagesIn = Atomic<UInt64>(0)
    private let messagesOut = Atomic<UInt64>(0)
    private let publishes = Atomic<UInt64>(0)
    private let framesEncoded = Atomic<UInt64>(0)
    private let framesDeflated = Atomic<UInt64>(0)
    /// By threads that are no loops.
    private let foreignDeflated = Atomic<UInt64>(0)
    private let deliveries = Atomic<UInt64>(0)
    private let dropsAtLimit = Atomic<UInt64>(0)
    private let dropsClosed = Atomic<UInt64>(0)
    private let dropsInLanes = Atomic<UInt64>(0)
    /// Those of other threads' messages for this loop.
    private let foreignDrops = Atomic<UInt64>(0)
    private let dropsEvicted = Atomic<UInt64>(0)
    private let dropsSuperseded = Atomic<UInt64>(0)
    private let sockets = Atomic<UInt64>(0)
    private let pendingRequests = Atomic<UInt64>(0)

    func store(_ counters: LoopCounters) {
        messagesIn.store(counters.messagesIn, ordering: .relaxed)
        messagesOut.store(counters.messagesOut, ordering: .relaxed)
        publishes.store(counters.publishes, ordering: .relaxed)
        framesEncoded.store(counters.framesEncoded, ordering: .relaxed)
        framesDeflated.store(counters.framesDeflated, ordering: .relaxed)
        deliveries.store(counters.deliveries, ordering: .relaxed)
        dropsAtLimit.store(counters.dropsAtLimit, ordering: .relaxed)
        dropsClosed.store(counters.dropsClosed, ordering: .relaxed)
        dropsInLanes.store(counters.dropsInLanes, ordering: .relaxed)
        dropsEvicted.store(counters.dropsEvicted, ordering: .relaxed)
        dropsSuperseded.store(counters.dropsSuperseded, ordering: .relaxed)
        sockets.store(counters.sockets, ordering: .relaxed)
        pendingRequests.store(counters.pendingRequests, ordering: .relaxed)
    }

    /// A message of another thread for so many sockets of this loop was refused. Any thread.
    func countForeignDrop(of sockets: Int = 1) { foreignDrops.add(UInt64(sockets), ordering: .relaxed) }

    /// Another thread has deflated so many forms of a message. Any thread.
    func countForeignDeflated(_ count: Int) { foreignDeflated.add(UInt64(count), ordering: .relaxed) }

    func load() -> LoopCounters {
        LoopCounters(
            messagesIn: messagesIn.load(ordering: .relaxed),
            messagesOut: messagesOut.load(ordering: .relaxed),
            publishes: publishes.load(ordering: .relaxed),
            framesEncoded: framesEncoded.load(ordering: .relaxed),
            framesDeflated: framesDeflated.load(ordering: .relaxed) + foreignDeflated.load(ordering: .relaxed),
            deliveries: deliveries.load(ordering: .relaxed),
            dropsAtLimit: dropsAtLimit.load(ordering: .relaxed),
            dropsClosed: dropsClosed.load(ordering: .relaxed),
            dropsInLanes: dropsInLanes.load(ordering: .relaxed) + foreignDrops.load(ordering: .relaxed),
            dropsEvicted: dropsEvicted.load(ordering: .relaxed),
            dropsSuperseded: dropsSuperseded.load(ordering: .relaxed),
            sockets: sockets.load(ordering: .relaxed),
            pendingRequests: pendingRequests.load(ordering: .relaxed))
    }
}
