/// One thread's share of the work: a driver to the kernel, the connections it owns, and what is queued for them.
///
/// The room around it, `Reactor`, is loops, sockets, timers, mailboxes and TLS: bytes of connections, in and out, and
/// messages between loops. It knows nothing of what the bytes mean: no HTTP, no WebSocket, no topic. Each aspect of a
/// loop is an `EventLoop+….swift`, what the kernel does for it is behind `Driver`.
///
/// A loop is made on its thread and never leaves it; nothing in it is locked or shared but its mailbox, its executor
/// and its statistics. Every turn handles all that has arrived and then sends all that it led to, each connection's
/// bytes in one operation.
public final class EventLoop {
    /// The place among the loops of the group, from 0.
    public let index: Int
    /// Runs closures and tasks on this loop, from any thread.
    public let executor: LoopExecutor
    /// Counters of this loop, readable from any thread.
    public let statistics: LoopStatistics
    /// Milliseconds of a clock that never goes back, read once per turn.
    package var now: UInt64 { state.now }

    let driver: any Driver
    let group: GroupState
    let log: LogSink
    let meter: LoopMeter
    let timers: TimerWheel
    unowned(unsafe) var handler: any ConnectionHandler
    /// Keeps the handler alive: `handler` is unowned, which spares a retain and a release per event.
    private var ownedHandler: any ConnectionHandler
    /// The handler, if it has carriers.
    private(set) var carryingHandler: (any CarryingHandler)?
    private let box: LoopBox<LoopState>

    package init(
        index: Int, driver: any Driver, group: GroupState, executor: LoopExecutor, log: @escaping LogSink,
        clock: UInt64 = MonotonicClock.milliseconds
    ) {
        self.index = index
        self.driver = driver
        self.group = group
        self.executor = executor
        self.log = log
        statistics = group.statistics[index]
        meter = group.meter
        timers = TimerWheel(now: clock)
        let loans = BufferLoans(small: driver.bufferCount(.small), large: driver.bufferCount(.large))
        box = LoopBox(LoopState(loopCount: group.loopCount, loans: loans, now: clock))
        ownedHandler = unsafe NoHandler.shared
        unsafe handler = NoHandler.shared
    }

    /// A loop that has ended has no connections. One that is let go of before, as a simulated one may be, gives back
    /// the memory of those that it has; nobody is told.
    deinit { state.connections.forEach(releaseMemory) }

    /// In place: no exclusivity check, by the rule of `LoopBox`.
    @inline(__always)
    var state: LoopState {
        unsafeAddress { unsafe UnsafePointer(box.address) }
        unsafeMutableAddress { unsafe box.address }
    }

    package var installedHandler: any ConnectionHandler { unsafe handler }

    /// Connections that this loop owns at present.
    public var connectionCount: Int { state.connections.count }

    package func install(_ handler: any ConnectionHandler) {
        ownedHandler = handler
        carryingHandler = handler as? any CarryingHandler
        unsafe self.handler = handler
    }

    /// The last act of a loop, once it has ended.
    package func finish() {
        driver.wait(milliseconds: 0)  // hands over the last closes
        executor.loopEnds()
        group.loopEnded()
        releaseHandler()
    }

    /// A handler may keep its loop: each would keep the other alive, and the driver with it.
    package func releaseHandler() { unsafe install(NoHandler.shared) }

    package func tick() { tick(waiting: prepareToWait()) }

    /// A turn behind `prepareToWait`, which said how long the wait may last. In a simulation others go on between.
    package func tick(waiting milliseconds: UInt64?) {
        wait(milliseconds: milliseconds)
        settleSends()
        continueReady()
        handleCompletions()
        readMailbox()
        executor.runReadyJobs()
        if isCatchingUp { endCatchingUp() }
        if !isCatchingUp { fireTimers() }
        feedStarved()
        reportEnded()
        unsafe handler.turnEnds()
        flushDirty()
        if state.isStopping { noteLastConnection() }
        wakePostedLoops()
        statistics.turns.add(1)
    }

    private func handleCompletions() {
        for completion in state.completions.take() { handle(completion) }
    }

    private func handle(_ completion: DriverCompletion) {
        switch completion.token.operation {
        case .receive: received(completion)
        case .accept: accepted(completion)
        case .connect: connectEnded(completion)
        case .notify: notifyFailed(completion)
        case .cancel: cancelMissed(completion)
        case .acceptCancel: acceptCancelMissed(completion)
        case .send, .batchedSend, .wakeUp, .notification, .driver, .unanswered: break
        }
    }

    private static let fewestMessages = 16
    private static let mostMessages = 256
    private static let messageWorkPerTurn: UInt64 = 16_384

    private func readMailbox() {
        // Bounds per turn, on messages and on what they lead to, so that a flood does not keep connections from being
        // served.
        let mailbox = group.mailboxes[index]
        guard !mailbox.isEmpty else { return }
        var left = 4096
        var limit = Self.fewestMessages
        let start = unsafe handler.messageWork
        while left > 0 {
            let taken = mailbox.drain(limit: limit) { message in
                switch message {
                case .service(let message): unsafe handler.received(message)
                case .adopt(let descriptor, let listener): open(descriptor, listener: listener)
                case .reached(let stage): loopReached(stage)
                }
            }
            left -= taken
            let work = unsafe handler.messageWork &- start
            if taken < limit || work >= Self.messageWorkPerTurn { break }
            // Each look at the lanes costs fences. Twice as many are taken at a time while what those so far have led
            // to says that they stay within the bound.
            let fitting = UInt64(4096 - left) * (Self.messageWorkPerTurn - work) / max(work, 1)
            limit = min(max(Self.fewestMessages, min(limit * 2, Self.mostMessages, Int(clamping: fitting))), left)
        }
    }
}

/// Stands in until the loop's own handler is made, which needs the loop.
private final class NoHandler: ConnectionHandler {
    nonisolated(unsafe) static let shared = NoHandler()
    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int { bytes.byteCount }
}
