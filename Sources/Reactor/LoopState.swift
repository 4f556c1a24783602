/// Everything that changes in a loop, in one allocation that ends with it. `EventLoop.state` reaches it.
struct LoopState: ~Copyable {
    // MARK: connections and memory

    var connections = ConnectionTable()
    var listeners: [LoopListener] = []
    var chunks = ChunkPool()
    var sendQueues = SendQueuePool()
    var sharedLog = SharedLog()
    var loans: BufferLoans
    /// What the handler looks at just now, if it lies in a receive buffer.
    var lentInput: LentInput?
    var tls = TLSWork()

    // MARK: lists of connections, with the generation they had where they may be gone when their turn comes

    /// Connections with something to be sent at the end of this turn.
    var dirty: [ConnectionSlot] = []
    /// Connections whose send is over with the next wait, or known to be slow then.
    var flushing: [ConnectionSlot] = []
    /// Connections whose held input goes on in the next turn.
    var ready = TakenList<Token>()
    /// Connections that wait for a receive buffer, in this order.
    var starved = TakenList<Token>()
    /// Connections that the handler is still to be told the end of.
    var ended = TakenList<ConnectionSlot>()
    /// Connections with bytes that wait for the peer.
    var watchedForStall: [Token] = []
    /// Carriers that are asked for bytes at the end of this turn.
    var gathering = TakenList<ConnectionSlot>()
    /// Carried connections whose bytes their carriers have been told of in this turn.
    var offered = TakenList<ConnectionSlot>()
    /// Carried connections of which everything has left, which somebody waits for.
    var settling = TakenList<Token>()
    var lastStallCheck: UInt64 = 0
    /// How many of `watchedForStall`, from the first on, have not been looked at in this second.
    var uncheckedForStall = 0

    // MARK: the turn

    /// The clock of this turn (ms).
    var now: UInt64
    /// Turns that timers still wait at most, after time in which nothing was read: see `EventLoop+Wait.swift`.
    var turnsToCatchUp = 0
    var completions = TakenList<DriverCompletion>()
    /// Ordinary sends that are over: their queues are settled before anything else.
    var endedSends = TakenList<DriverCompletion>()
    /// Something has to follow the sends in `flushing` at once, whether or not they are answered.
    var settlesAtOnce = false
    /// The last wait took all sends in `flushing` to the kernel.
    var flushesAreSubmitted = false
    /// When that wait began (ms).
    var flushTime: UInt64 = 0
    /// The way to each loop of the group, once it is known.
    var addresses: [DriverAddress] = []
    /// Loops that were posted something in this turn.
    var posted: LoopSet
    /// When the handler wants to be called (ms).
    var handlerWakeTime: UInt64?
    /// Nil where coalescing is off.
    var coalescer: Coalescer?

    // MARK: what the loop measures of itself: see EventLoop+Measure.swift

    /// When the turn's work began (ns); 0 before the first turn, and where nothing is measured.
    var turnStart: UInt64 = 0
    /// Since when (ms) the share is measured that comes next, and the thread's processor time then (ns).
    var shareStart: UInt64
    var shareProcessorTime: UInt64 = 0

    // MARK: the end: see EventLoop+Stop.swift

    var hasStoppedAccepting = false
    var isAskedToStop = false
    var stopProgress: StopProgress
    /// The handler has been told `stopping`.
    var isStopping = false
    /// When every connection is cut (ms).
    var cutTime: UInt64?

    init(loopCount: Int, loans: BufferLoans, now: UInt64) {
        self.loans = loans
        self.now = now
        shareStart = now
        posted = LoopSet(loopCount: loopCount)
        stopProgress = StopProgress(loopCount: loopCount)
    }
}
