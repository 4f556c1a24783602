public import Logging
public import Reactor
import Synchronization
public import WebSocketProtocol

/// Loops for WebSocket clients: N threads, each with its share of the connections, which take the same handlers as a
/// server's.
///
///     let group = try ClientGroup()
///     group.connect(try ClientRequest("ws://localhost:3000/chat"), handlers: handlers, with: Guest()) { error in … }
///
/// Every member may be used from any thread. A group costs its threads and, for each loop, what a server's costs; what
/// tells loops something costs a post to each. A group that nobody keeps ends with its last reference, and so do its
/// sockets.
public final class ClientGroup: Sendable {
    let core: SocketCore
    let group: LoopGroup
    private let tlsClients = TLSClients()
    private let nextLoop = Atomic<Int>(0)
    private let nextAttempt = Atomic<UInt64>(1)

    /// Makes the loops, and starts them.
    /// - Throws: `.stopped` with one sentence that says why not, such as that io_uring is not allowed here.
    public convenience init(
        configuration: ClientGroupConfiguration = ClientGroupConfiguration()
    ) throws(WebSocketClientError) {
        try self.init(configuration: configuration, resolver: .shared)
    }

    /// Makes the loops with a resolver of their own, for tests.
    init(configuration: ClientGroupConfiguration, resolver: Resolver) throws(WebSocketClientError) {
        if let objection = configuration.stop.objection { throw .stopped(objection) }
        var server = ServerConfiguration(
            port: 0, loops: configuration.loops, pinsThreads: configuration.pinsThreads, driver: configuration.driver,
            logger: configuration.logger)
        server.stop = configuration.stop
        var setup = LoopGroupConfiguration(server)
        setup.listeners = []
        do throws(ReactorError) {
            let core = SocketCore(
                configuration: server, loopCount: try setup.resolvedLoopCount(), resolver: resolver)
            self.core = core
            group = try LoopGroup(configuration: setup, discard: { LoopMessage(unpacking: $0).discard() }) { loop in
                SocketLoop(core: core, loop: loop)
            }
        } catch {
            throw .stopped(error.description)
        }
        core.group = group
        group.start()
    }

    deinit { core.group = nil }

    /// How many loops there are.
    public var loopCount: Int { group.loopCount }

    /// Runs closures and tasks on one of the loops.
    /// - Parameter loop: 0 ..< `loopCount`; anything else traps.
    public func executor(of loop: Int) -> LoopExecutor { group.executor(of: loop) }

    /// Open WebSockets on all loops, as of each loop's last turn.
    public var pendingWebSockets: Int { core.counters.reduce(0) { $0 + Int($1.load().sockets) } }

    /// The figures of every loop, by its index.
    public var statistics: [ServerStatistics] { core.statistics(of: group) }

    /// Begins a connection. `handlers.open` is called on its loop when the server has accepted it; then it is a socket
    /// like a server's.
    /// - Parameters:
    ///   - request: which server, and how.
    ///   - handlers: what kind of socket it becomes.
    ///   - data: what `ws.data` starts as.
    ///   - loop: which loop the socket belongs to, 0 ..< `loopCount`; anything else traps. By default the calling one,
    ///     from elsewhere each in turn.
    ///   - failed: called once, on the loop, if there will be no socket; never from within this call. If the loops have
    ///     been stopped it is called on any thread.
    /// - Returns: the attempt, by which it can be cancelled.
    @discardableResult
    public func connect<ConnectionData>(
        _ request: ClientRequest, handlers: WebSocketHandlers<ConnectionData>, with data: sending ConnectionData,
        on loop: Int? = nil, failed: @escaping @Sendable (WebSocketClientError) -> Void = { _ in }
    ) -> ClientAttempt {
        let current = core.currentLoop
        let index = loop ?? current?.eventLoop.index ?? nextInTurn()
        let id = nextAttempt.wrappingAdd(1, ordering: .relaxed).oldValue
        let upgrade = Upgrade(to: handlers, with: data, headers: [:], subprotocol: nil)
        let tls = request.url.isSecure || request.maxRedirects > 0 ? tlsClients.client(for: request.tls) : nil
        if let current, current.eventLoop.index == index {
            current.connect(id, request, upgrade, tls: tls, failed: failed)
        } else {
            let executor = group.executor(of: index)
            let (core, bound) = (core, LoopBound(upgrade, executor: executor))
            executor.execute {
                guard let loop = core.currentLoop else { return failed(.loopsStopped) }
                bound.use { loop.connect(id, request, $0, tls: tls, failed: failed) }
            }
        }
        return ClientAttempt(core: core, executor: group.executor(of: index), id: id)
    }

    private func nextInTurn() -> Int {
        let count = nextLoop.wrappingAdd(1, ordering: .relaxed).oldValue
        return Int(UInt(bitPattern: count) % UInt(loopCount))
    }

    /// Closes every socket with this code, within the configuration's time, and gives up what is not connected yet.
    /// Returns at once; `ended` returns when all is done. Any code, as for `WebSocket.close`.
    public func stop(_ code: CloseCode = .goingAway, reason: String = "") {
        core.stopPlan = StopPlan(code: code, reason: reason, timing: core.configuration.stop)
        group.stop()
    }

    /// Returns once every loop has ended, after `stop`, which bounds it: every connection is over by then, its Close
    /// frame sent. Cancellation does not end the wait, so that nothing of the group is left when this returns.
    public func ended() async { await group.ended() }

    /// Blocks the calling thread until `ended` would return. Never on a loop.
    public func wait() { group.wait() }
}

/// How a client group's loops are set up.
public struct ClientGroupConfiguration: Sendable {
    /// How many loops: one, unless a number is given.
    public var loops: LoopCount
    /// Whether each loop stays on a core of its own.
    public var pinsThreads: Bool
    /// How the loops talk to the kernel.
    public var driver: DriverChoice
    /// How `ClientGroup.stop` spreads its work.
    public var stop: StopTiming
    /// Where the group says what its operator or author should know.
    public var logger: Logger

    /// The defaults: one loop, wherever the scheduler puts it.
    public init(
        loops: LoopCount = .count(1), pinsThreads: Bool = false, driver: DriverChoice = .automatic,
        stop: StopTiming = StopTiming(window: .zero), logger: Logger = Logger(label: "ringcast.client")
    ) {
        self.loops = loops
        self.pinsThreads = pinsThreads
        self.driver = driver
        self.stop = stop
        self.logger = logger
    }
}

/// A connection that was asked for, and may be given up.
public struct ClientAttempt: Sendable {
    let core: SocketCore
    let executor: LoopExecutor
    let id: UInt64

    /// Gives the attempt up: `failed` is called with `.cancelled`. Without effect once it is a socket, or has failed.
    /// From any thread.
    public func cancel() {
        let (core, id) = (core, id)
        executor.execute { core.currentLoop?.attempts[id]?.fail(.cancelled) }
    }
}
