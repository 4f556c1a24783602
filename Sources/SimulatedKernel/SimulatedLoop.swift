internal import CSystemCalls
package import Reactor
internal import Synchronization

/// A loop over simulated connections and virtual time, turned by the test on its own thread.
package final class SimulatedLoop {
    package let driver: SimulatedDriver
    package let clock: VirtualClock
    package let loop: EventLoop
    private let handler: any ConnectionHandler
    /// How long (ms; nil: for ever) the wait lasts that `sleep` has begun, and when it is over.
    private var sleepTime: UInt64?
    private var sleepEnd: UInt64?
    package private(set) var isAsleep = false

    package convenience init(
        _ options: SimulatedDriver.Options = .init(), tls: TLSServer? = nil, log: @escaping LogSink = { _, _ in },
        makeHandler: (EventLoop) -> any ConnectionHandler
    ) {
        let clock = VirtualClock()
        let group = GroupState(loopCount: 1, placement: .kernel, clock: { _ in clock.milliseconds }, meter: .off)
        self.init(index: 0, group: group, clock: clock, options, tls: tls, log: log, makeHandler: makeHandler)
    }

    /// One of several loops that know each other. Nobody wakes a simulated loop: the test has to turn it.
    package init(
        index: Int, group: GroupState, clock: VirtualClock, _ options: SimulatedDriver.Options = .init(),
        tls: TLSServer? = nil, log: @escaping LogSink = { _, _ in }, makeHandler: (EventLoop) -> any ConnectionHandler
    ) {
        self.clock = clock
        driver = SimulatedDriver(options)
        driver.clock = clock
        loop = EventLoop(
            index: index, driver: driver, group: group, executor: LoopExecutor(index: index, group: group), log: log,
            clock: clock.milliseconds)
        handler = makeHandler(loop)
        loop.install(handler)
        loop.listen(on: [LoopListener(descriptor: SimulatedDriver.listener, tls: tls)])
    }

    /// A test may let go of a loop that has not ended.
    deinit { loop.releaseHandler() }

    /// A new connection; it is accepted with the next turn.
    package func connect() -> SimulatedPeer { driver.connect() }

    /// Several at once.
    package func connect(_ count: Int) -> [SimulatedPeer] { (0..<count).map { _ in connect() } }

    /// One turn of the loop.
    package func turn() { ask { $0.tick() } }

    /// Begins a turn, up to its wait, in which the loop stays until it is woken: other loops go on meanwhile.
    package func sleep() {
        guard !isAsleep, !loop.hasEnded else { return }
        ask { loop in
            sleepTime = loop.prepareToWait()
            driver.beginWait()
        }
        sleepEnd = sleepTime.map { clock.milliseconds + $0 }
        isAsleep = true
    }

    /// Whether the wait that `sleep` has begun would be over: something has come, somebody rang, or it was long enough.
    package var wouldWake: Bool {
        guard isAsleep else { return !loop.hasEnded }
        return sleepEnd.map { $0 <= clock.milliseconds } ?? false || driver.hasNews
    }

    /// When the wait that `sleep` has begun is over by itself; nil: never.
    package var wakeTime: UInt64? { isAsleep ? sleepEnd : nil }

    /// Why `wouldWake` says so, for the log of a world that does not come to rest.
    package var whyAwake: String {
        sleepEnd.map { $0 <= clock.milliseconds } ?? false ? "\(loop.index) waits for no time" : driver.news
    }

    /// Ends the wait, whatever for, and the turn.
    package func wake() {
        guard isAsleep else { return }
        isAsleep = false
        ask { $0.tick(waiting: sleepTime) }
    }

    /// Does something as the loop, between its turns; one that sleeps then wakes for it.
    package func ask(_ body: (EventLoop) -> Void) {
        if isAsleep { driver.isNotified = true }
        clock.noteAct()
        unsafe ringcast_set_current_loop(Unmanaged.passUnretained(loop).toOpaque())
        body(loop)
        ringcast_set_current_loop(nil)
    }

    package func turn(_ count: Int) {
        for _ in 0..<count { turn() }
    }

    /// Turns until the loop would sleep: whatever still has to be done then needs an event or time.
    ///
    /// The first turn is always made: something may have been asked of the loop outside of its turns.
    package func rest() {
        turn()
        for _ in 0..<100_000 {
            turn()
            if driver.sleep != nil { return }
        }
        fatalError("the loop does not come to rest")
    }

    /// Lets time pass; the loop wakes whenever it asked for that.
    package func advance(milliseconds: UInt64) {
        rest()
        let end = clock.milliseconds + milliseconds
        while clock.milliseconds < end {
            clock.advance(min(max(driver.sleep ?? 1, 1), end - clock.milliseconds))
            rest()
        }
    }

    /// Asks the loop to end and lets time pass until it has.
    package func stop() {
        loop.stop()
        for _ in 0..<1_000 where !loop.hasEnded { advance(milliseconds: 100) }
        precondition(loop.hasEnded, "the loop does not end")
        loop.finish()
    }
}

extension Connection {
    package func send(_ bytes: [UInt8]) { unsafe send(bytes.span.bytes) }
    package func send(_ text: String) { send(Array(text.utf8)) }
}
