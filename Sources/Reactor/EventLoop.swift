/// One thread's share of the work: a driver to the kernel, the connections it owns, and what is queued for them.
///
/// A loop is made on its thread and never leaves it; nothing in it is locked or shared but its mailbox, its executor
/// and its statistics. Every turn handles all that has arrived and then sends all that it led to, each connection's
/// bytes in one operation.
public final class EventLoop {
    /// Its place among the loops of its group, from 0.
    public let index: Int
    /// Runs closures and tasks on this loop, from any thread.
    public let executor: LoopExecutor
    /// Counters of this loop, readable from any thread.
    public let statistics: LoopStatistics
    /// Milliseconds of a clock that never goes back, read once per turn.
    public internal(set) var now: UInt64 {
        get { clock }
        set { clock = newValue }
    }

    let driver: any Driver
    let group: GroupState
    let log: LogSink
    let chunks = ChunkPool()
    let sharedBlocks = SharedBlockPool()
    let sharedLog: SharedLog
    /// For other forms of the same bytes, such as compressed ones.
    var otherLogs: [SharedLog] = []
    let timers: TimerWheel
    unowned(unsafe) var handler: any ConnectionHandler
    /// What keeps `handler` alive; that one spares a retain and a release per event.
    private var ownedHandler: any ConnectionHandler

    let connections = ConnectionTable()
    var listeners: [LoopListener] = []
    let sendQueues = SendQueuePool()
    /// Connections with something to send at the end of this turn.
    @LoopOwned var dirty: [ConnectionSlot] = []
    /// Connections whose send is over with the next wait, or known to be slow.
    @LoopOwned var flushing: [ConnectionSlot] = []
    /// Something has to follow these sends at once, whether or not they are answered.
    @LoopOwned var settlesAtOnce = false
    /// That wait took them all to the kernel.
    @LoopOwned var flushesAreSubmitted = false
    /// When it did so (ms).
    @LoopOwned var flushTime: UInt64 = 0
    /// Turns for which timers still wait at the most, because time has passed in which nothing was read: see
    /// `EventLoop+Wait.swift`.
    @LoopOwned var turnsToCatchUp = 0
    /// Connections that have held input to be delivered, with the generation they had.
    @LoopOwned var ready: [Token] = []
    /// Connections that wait for a receive buffer, in order, with the generation they had.
    @LoopOwned var starved: [Token] = []
    /// Connections whose `closed` is still to be delivered.
    @LoopOwned var ended: [ConnectionSlot] = []
    /// Connections that bytes wait for.
    @LoopOwned var watchedForStall: [Token] = []
    var lastStallCheck: UInt64 = 0
    /// So many of them, from the first on, have not been looked at in this second.
    var uncheckedForStall = 0
    @LoopOwned private var clock: UInt64
    @LoopOwned var loans: BufferLoans
    var tls = TLSWork()
    @LoopOwned var completions: [DriverCompletion] = []
    /// Ordinary sends that are over: their queues are settled before anything else.
    @LoopOwned var endedSends: [DriverCompletion] = []
    @LoopOwned private var handledCompletions: [DriverCompletion] = []
    /// Loops that were posted something in this turn.
    var posted: LoopSet
    /// See `EventLoop+Stop.swift`: what has been asked, how far all have come, and that the handler knows.
    var hasStoppedAccepting = false
    var isAskedToStop = false
    var stopProgress: StopProgress
    var isStopping = false
    /// When every connection is cut (ms).
    var cutTime: UInt64?
    /// When the handler wants to be called (ms).
    var handlerWakeTime: UInt64?
    /// nil: this loop never waits for more than there is.
    var coalescer: Coalescer?

    package init(
        index: Int, driver: any Driver, group: GroupState, executor: LoopExecutor, log: @escaping LogSink,
        clock: UInt64 = MonotonicClock.milliseconds
    ) {
        self.index = index
        sharedLog = SharedLog(blocks: sharedBlocks)
        self.driver = driver
        self.group = group
        self.executor = executor
        self.log = log
        statistics = group.statistics[index]
        _clock = LoopOwned(wrappedValue: clock)
        timers = TimerWheel(now: clock)
        _loans = LoopOwned(
            wrappedValue: BufferLoans(small: driver.bufferCount(.small), large: driver.bufferCount(.large)))
        posted = LoopSet(loopCount: group.loopCount)
        stopProgress = StopProgress(loopCount: group.loopCount)
        ownedHandler = unsafe NoHandler.shared
        unsafe handler = NoHandler.shared
    }

    deinit {
        for list in [_dirty, _flushing, _ended] { list.deallocate() }
        for list in [_ready, _starved, _watchedForStall] { list.deallocate() }
        for list in [_completions, _endedSends, _handledCompletions] { list.deallocate() }
        for flag in [_settlesAtOnce, _flushesAreSubmitted] { flag.deallocate() }
        for time in [_clock, _flushTime] { time.deallocate() }
        _turnsToCatchUp.deallocate()
        _loans.deallocate()
    }

    /// The handler that was made for this loop.
    package var installedHandler: any ConnectionHandler { unsafe handler }

    /// Connections that this loop owns at present.
    public var connectionCount: Int { connections.count }

    package func install(_ handler: any ConnectionHandler) {
        ownedHandler = handler
        unsafe self.handler = handler
    }

    /// Runs until it was asked to stop and the last connection of all loops is closed.
    func run() {
        while !hasEnded { tick() }
        finish()
    }

    /// The last act, once it has ended.
    package func finish() {
        driver.wait(milliseconds: 0)  // hands over the last closes
        executor.loopEnds()
        group.loopEnded()
        // Handlers like to keep their loop: each would keep the other alive, and the ring with it.
        unsafe install(NoHandler.shared)
    }

    /// One turn.
    package func tick() {
        waitForWork()
        settleSends()
        deliverHeldInput()
        handleCompletions()
        readMailbox()
        executor.runReadyJobs()
        if isCatchingUp { endCatchingUp() }
        if !isCatchingUp { fireTimers() }
        feedStarved()
        reportEnded()
        unsafe handler.turnEnds()
        flushDirty()
        if isStopping { noteLastConnection() }
        wakePostedLoops()
        statistics.turns.add(1)
    }

    private func handleCompletions() {
        swap(&completions, &handledCompletions)
        for completion in handledCompletions { handle(completion) }
        handledCompletions.removeAll(keepingCapacity: true)
    }

    private func handle(_ completion: DriverCompletion) {
        switch completion.token.operation {
        case .receive: received(completion, .small)
        case .receiveLarge: received(completion, .large)
        case .accept: accepted(completion)
        case .connect: connectEnded(completion)
        case .notify: notifyFailed(completion)
        case .cancel: cancelMissed(completion)
        case .send, .batchedSend, .wakeUp, .notification, .fileRemoval, .unanswered: break
        }
    }

    private static let messagesAtATime = 16
    private static let messageWorkPerTurn: UInt64 = 16_384

    private func readMailbox() {
        // Bounds per turn, on messages and on what they lead to, so that a flood does not keep connections from being
        // served.
        let mailbox = group.mailboxes[index]
        guard !mailbox.isEmpty else { return }
        var left = 4096
        let start = unsafe handler.messageWork
        while left > 0 {
            let taken = mailbox.drain(limit: Self.messagesAtATime) { message in
                switch message {
                case .service(let message): unsafe handler.received(message)
                case .adopt(let descriptor, let listener): open(descriptor, listener: listener)
                case .reached(let stage): loopReached(stage)
                }
            }
            left -= taken
            if unsafe taken < Self.messagesAtATime || handler.messageWork &- start >= Self.messageWorkPerTurn { break }
        }
    }
}

/// Stands in until the loop's own handler is made, which needs the loop.
private final class NoHandler: ConnectionHandler {
    nonisolated(unsafe) static let shared = NoHandler()
    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int { bytes.byteCount }
}
