internal import CSystemCalls
internal import Glibc
internal import Synchronization
internal import SystemCalls

/// N loops on N threads, and the listeners whose connections they share.
///
///     let group = try LoopGroup(configuration: .init(listeners: [.init(port: 7)])) { loop in Echo() }
///     group.start()
///     group.wait()
///
/// Every method may be called from any thread. Making a group costs its threads and, for each loop, a ring or an epoll
/// with its buffers; what tells loops something costs a post and a wake-up of each; the rest is read where it lies.
public final class LoopGroup: Sendable {
    /// Where the listeners really listen, in the order of the configuration.
    public let addresses: [ListenerAddress]
    /// How the loops talk to the kernel.
    public let driver: DriverKind
    private let group: GroupState
    private let threads: [LoopThread]
    private let sockets: [ListenerSocket]
    private let executors: [LoopExecutor]
    /// How each listener speaks TLS, in order; nil for plain ones.
    let tls: [TLSServer?]
    let log: LogSink
    private let state = Mutex(State.made)

    private enum State { case made, running, stopping }

    /// Makes the loops on their threads and binds the listeners. Connections wait in the kernel until `start`.
    ///
    /// - Parameters:
    ///   - configuration: how many loops, where they run, and where they listen.
    ///   - makeHandler: called once for each loop, on its thread. Once more where the kernel refuses a ring to some of
    ///     them, and epoll takes over.
    /// - Throws: a sentence, such as that io_uring is not to be had, or a port is taken.
    public convenience init(
        configuration: LoopGroupConfiguration,
        makeHandler: @escaping @Sendable (EventLoop) -> any ConnectionHandler
    ) throws(ReactorError) {
        try self.init(configuration: configuration, discard: { _ in }, makeHandler: makeHandler)
    }

    /// - Parameter discard: gives back what a message carries that was posted when every loop had ended. Called on any
    ///   thread; it must not post.
    package init(
        configuration: LoopGroupConfiguration, discard: @escaping @Sendable (ServiceMessage) -> Void,
        makeHandler: @escaping @Sendable (EventLoop) -> any ConnectionHandler
    ) throws(ReactorError) {
        let plan = try LoopPlan(configuration)
        guard configuration.listeners.count <= 256 else { throw ReactorError("there can be at most 256 listeners") }
        try InheritedListener.checkDescriptors(of: configuration.listeners)
        let limit = OpenFileLimit.raise() ?? 0
        // Clients have few connections, and are made by the dozen.
        if !configuration.listeners.isEmpty { DescriptorTable.reserve(min(limit, Self.reservedDescriptorCount)) }
        let tls = try TLSServer.make(configuration)
        (self.tls, log) = (tls, configuration.log)
        let selected = try SelectedDriver(configuration.driver)
        let driver: SelectedDriver
        var sockets: [ListenerSocket] = []
        do {
            for (index, listener) in configuration.listeners.enumerated() {
                sockets.append(
                    try ListenerSocket(listener, loopCount: plan.loopCount, onlyLoop: index % plan.loopCount))
            }
            addresses = sockets.map(\.address)
            self.sockets = sockets
            (driver, (group, executors, threads)) = try selected.used { driver throws(ReactorError) in
                let group = GroupState(
                    loopCount: plan.loopCount, placement: configuration.placement, discard: discard,
                    meter: configuration.measuresTurns ? .system : .off)
                let executors = (0..<plan.loopCount).map { LoopExecutor(index: $0, group: group) }
                let threads = try LoopThread.makeAll(
                    plan: plan, group: group, executors: executors, log: configuration.log, listeners: sockets,
                    tls: tls, makeDriver: { () throws(ReactorError) in try driver.make() }, makeHandler: makeHandler)
                return (group, executors, threads)
            }
            self.driver = driver.kind
        } catch {
            sockets.forEach { $0.close() }
            throw error
        }
        // Said only now, since a refusal to start is one sentence; and not for clients, of whom nobody asks it.
        if !sockets.isEmpty, let line = driver.announcement { configuration.log(.notice, line) }
        if plan.coalescingMicroseconds != nil, !driver.gathersCompletions {
            configuration.log(.warning, "coalescing stays off: it needs io_uring and Linux 6.12 or newer")
        }
    }

    /// A group of loops that its maker turns, on no thread: in tests. What starts and waits for threads does nothing.
    package init(
        turning executors: [LoopExecutor], of group: GroupState, driver: DriverKind, addresses: [ListenerAddress],
        log: @escaping LogSink
    ) {
        (self.group, self.executors, self.driver) = (group, executors, driver)
        (self.addresses, self.log) = (addresses, log)
        (threads, sockets, tls) = ([], [], addresses.map { _ in nil })
    }

    /// How many descriptors a server is given without a wait for the table of them: 256 KiB of the kernel's memory.
    private static let reservedDescriptorCount: UInt = 32_768

    deinit {
        let hasBegun = state.withLock { state in
            defer { if state == .made { state = .stopping } }
            return state != .made
        }
        guard !hasBegun else { return stop() }
        // Nobody has been served: the ports are free when this returns.
        threads.forEach { $0.abandon() }
        threads.forEach { $0.join() }
        sockets.forEach { $0.close() }
    }

    /// How many loops there are, from the beginning on.
    public var loopCount: Int { executors.count }

    /// Begins to accept connections.
    public func start() {
        let isFirst = state.withLock { state in
            defer { if state == .made { state = .running } }
            return state == .made
        }
        if isFirst { threads.forEach { $0.start() } }
    }

    /// Closes the listeners: connections that wait there are accepted first, and what is open stays. Without effect
    /// the second time.
    public func stopAccepting() {
        executors.forEach { executor in executor.execute { LoopGroup.currentLoop?.stopAccepting() } }
    }

    /// Closes the listeners and tells every handler (`stopping`). The loops end together, once no connection is left.
    ///
    /// Connections that wait to be accepted are accepted first, and messages that were posted before are handled first.
    public func stop() {
        let previous = state.withLock { state in
            defer { state = .stopping }
            return state
        }
        guard previous != .stopping else { return }
        // Behind what the calling thread has posted to each loop.
        executors.forEach { executor in executor.executeBehindMessages { LoopGroup.currentLoop?.stop() } }
        if previous == .made { threads.forEach { $0.start() } }
    }

    /// Blocks the calling thread until every loop has ended.
    public func wait() {
        threads.forEach { $0.join() }
    }

    /// Returns once every loop has ended, without blocking a thread.
    public func ended() async {
        for thread in threads { await thread.ended() }
    }

    /// Runs work on one of the loops.
    /// - Parameter loop: 0 ..< `loopCount`; anything else traps.
    public func executor(of loop: Int) -> LoopExecutor { executors[loop] }
    /// The counters of one of the loops.
    /// - Parameter loop: 0 ..< `loopCount`; anything else traps.
    public func statistics(of loop: Int) -> LoopStatistics { group.statistics[loop] }

    /// The time by the loops' clock, in milliseconds.
    package var milliseconds: UInt64 { group.clock(0) }

    /// Messages on their way to a loop: a recent value.
    package func mailboxDepth(of loop: Int) -> Int { group.mailboxes[loop].depth }

    /// Posts to a loop's handler from a thread that runs no loop of this group. Returns false, and posts nothing, where
    /// the mailbox is at its bound.
    package func post(foreign message: ServiceMessage, to loop: Int) -> Bool {
        guard group.mailboxes[loop].push(foreign: .service(message)) else { return false }
        if group.mailboxes[loop].shouldWakeAfterForeignPush() { group.wake(loop) }
        group.emptyMailboxesIfEnded()
        return true
    }

    /// Whether so much of what threads that run no loop have posted to a loop waits that they should post less.
    package func isPastWatermark(of loop: Int) -> Bool { group.mailboxes[loop].isForeignLanePastWatermark }

    /// The loop that the calling thread runs, if it runs one.
    public static var currentLoop: EventLoop? {
        guard let loop = unsafe ringcast_current_loop() else { return nil }
        return unsafe Unmanaged<EventLoop>.fromOpaque(loop).takeUnretainedValue()
    }
}

/// How many loops there are and where they run.
struct LoopPlan {
    let loopCount: Int
    /// The processor of each loop; nil where the scheduler chooses.
    let processors: [Int]?
    /// How long a busy loop waits for more; nil if it does not.
    let coalescingMicroseconds: UInt32?

    /// - Parameters:
    ///   - allowed: the processors that this process may use.
    ///   - quota: how many of them its cgroups let it use at a time.
    ///   - spread: the order in which loops are placed on them.
    init(
        _ configuration: LoopGroupConfiguration, allowed: [Int] = Processors.allowed, quota: Int? = Processors.quota,
        spread: ([Int]) -> [Int] = { Processors.spreadOverCores($0) }
    ) throws(ReactorError) {
        let perCore = max(1, min(allowed.count, quota ?? .max))
        switch configuration.loops {
        case .perCore: loopCount = perCore
        case .count(let count):
            guard (1...1024).contains(count) else {
                throw ReactorError("\(count) is not a number of loops: choose 1 to 1024")
            }
            loopCount = count
        }
        coalescingMicroseconds = try configuration.coalescing.checkedMicroseconds()
        let isLimitedByQuota = perCore < allowed.count
        // Fewer loops than processors are somebody's choice to share the machine: forty such processes would all be
        // bound to the first processors.
        let pins = configuration.pinsThreads ?? (!isLimitedByQuota && loopCount == allowed.count)
        let places = pins ? spread(allowed) : []
        processors = places.isEmpty ? nil : (0..<loopCount).map { places[$0 % places.count] }
    }
}
