/// Everything that changes in a loop, in one allocation that ends with it. `EventLoop.state` reaches it.
struct LoopState: ~Copyable {
    // MARK: connections and memory

    var connections = ConnectionTable()
    var listeners: [LoopListener] = []
    var chunks = ChunkPool()
    var sendQueues = SendQueuePool()
    var sharedLog = SharedLog()
    var loans: BufferLoans
    var tls = TLSWork()

    // MARK: lists of connections, with the generation they had where they may be gone when their turn comes

    /// Something is to be sent at the end of this turn.
    var dirty: [ConnectionSlot] = []
    /// Their send is over with the next wait, or known to be slow.
    var flushing: [ConnectionSlot] = []
    /// Their input goes on in the next turn.
    var ready: [Token] = []
    /// They wait for a receive buffer, in this order.
    var starved: [Token] = []
    /// Their handler is still to be told that they are over.
    var ended: [ConnectionSlot] = []
    /// Bytes wait for their peers.
    var watchedForStall: [Token] = []
    var lastStallCheck: UInt64 = 0
    /// So many of them, from the first on, have not been looked at in this second.
    var uncheckedForStall = 0

    // MARK: the turn

    /// Milliseconds.
    var now: UInt64
    /// Turns for which timers still wait at the most, because time has passed in which nothing was read: see
    /// `EventLoop+Wait.swift`.
    var turnsToCatchUp = 0
    private var handledCompletions: [DriverCompletion] = []
    var completions: [DriverCompletion] = []
    /// Ordinary sends that are over: their queues are settled before anything else.
    var endedSends: [DriverCompletion] = []
    /// Something has to follow the sends in `flushing` at once, whether or not they are answered.
    var settlesAtOnce = false
    /// The last wait took all of those to the kernel.
    var flushesAreSubmitted = false
    /// When it did so (ms).
    var flushTime: UInt64 = 0
    /// The way to each loop of the group, once it is known.
    var addresses: [DriverAddress] = []
    /// Loops that were posted something in this turn.
    var posted: LoopSet
    /// When the handler wants to be called (ms).
    var handlerWakeTime: UInt64?
    /// nil: the loop never waits for more than there is.
    var coalescer: Coalescer?

    // MARK: the end: see EventLoop+Stop.swift

    var hasStoppedAccepting = false
    var isAskedToStop = false
    var stopProgress: StopProgress
    /// The handler has been told.
    var isStopping = false
    /// When every connection is cut (ms).
    var cutTime: UInt64?

    init(loopCount: Int, loans: BufferLoans, now: UInt64) {
        self.loans = loans
        self.now = now
        posted = LoopSet(loopCount: loopCount)
        stopProgress = StopProgress(loopCount: loopCount)
    }

    /// What the last wait has brought; `completions` begins anew.
    mutating func takeCompletions() -> [DriverCompletion] {
        handledCompletions.removeAll(keepingCapacity: true)
        swap(&completions, &handledCompletions)
        return handledCompletions
    }
}
