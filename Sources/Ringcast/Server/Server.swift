import Logging
public import Reactor

/// A WebSocket, HTTP/1.1 and HTTP/2 server on one io_uring loop per core.
///
/// Its ports are bound when it is made; `run()` serves until it is stopped or cancelled. Every member may be used on
/// any thread. What tells loops something costs a post and a wake-up of each; what costs more says so.
public final class Server: Sendable {
    let core: SocketCore
    let group: LoopGroup
    /// Who hears of the server's life; nil if nobody does.
    let systemd: SystemdNotifier?
    /// Where the server listens, in the order of the configuration's endpoints, with the ports that were picked.
    public let addresses: [ListenerAddress]

    /// Binds the ports and makes the loops.
    /// - Parameters:
    ///   - configuration: where to listen, on how many loops, and limits.
    ///   - fetch: called for every request, on the loop that owns the connection: it must not block. A `Reply` that it
    ///     throws is given as if it were returned; any other error is logged and answered with 500.
    /// - Throws: one sentence that says what to do: the port is taken, io_uring is not allowed here, and the like.
    public convenience init(
        configuration: ServerConfiguration = ServerConfiguration(),
        fetch: @escaping @Sendable (borrowing Request) throws -> Reply
    ) throws(ServerError) {
        try self.init(configuration, Application(fetch: fetch))
    }

    /// Binds the ports and makes the loops of a server whose requests are answered by their routes.
    /// - Throws: as the other initializer, and where routes make no sense together: two that answer the same requests,
    ///   both by their names, or a path that is none.
    public convenience init(
        configuration: ServerConfiguration = ServerConfiguration(), routes: Routes
    ) throws(ServerError) {
        try self.init(configuration, try Application(routes))
    }

    private init(_ configuration: ServerConfiguration, _ application: Application) throws(ServerError) {
        if let objection = configuration.objection { throw ServerError(objection, code: .invalidConfiguration) }
        let cluster = try ClusterLink(configuration)
        systemd = configuration.notifiesSystemd ? try SystemdEnvironment.own.notifier() : nil
        let setup = LoopGroupConfiguration(configuration)
        do throws(ReactorError) {
            let core = SocketCore(
                configuration: configuration, loopCount: try setup.resolvedLoopCount(), cluster: cluster)
            self.core = core
            group = try LoopGroup(configuration: setup, discard: { LoopMessage(unpacking: $0).discard() }) { loop in
                SocketLoop(core: core, loop: loop, application: application)
            }
        } catch {
            throw ServerError(error)
        }
        addresses = group.addresses
        core.group = group
        core.server = self
    }

    /// A server whose loops `makeGroup` makes and its caller turns: in tests. It runs already, so that `run` throws.
    package init(
        configuration: ServerConfiguration, loopCount: Int, application: Application,
        makeGroup: (LoopGroupSetup) -> LoopGroup
    ) throws(ServerError) {
        if let objection = configuration.objection { throw ServerError(objection, code: .invalidConfiguration) }
        let core = SocketCore(
            configuration: configuration, loopCount: loopCount, cluster: try ClusterLink(configuration))
        self.core = core
        group = makeGroup(
            LoopGroupSetup(
                log: LoopGroupConfiguration(configuration).log, discard: { LoopMessage(unpacking: $0).discard() },
                makeHandler: { SocketLoop(core: core, loop: $0, application: application) }))
        addresses = group.addresses
        systemd = nil
        _ = core.noteRun()
        core.group = group
        core.server = self
        core.cluster?.start(core)
    }

    /// Lets go of the cluster, in place of `run`, for a server whose loops somebody else turns.
    package func leaveCluster() async { await core.cluster?.stop() }

    deinit {
        core.group = nil
        core.cluster?.node.interest.end()
        core.cluster?.node.detach()
    }

    /// The first address that the server listens on; empty if it has Unix sockets only.
    public var hostname: String { addresses.first { $0.path == nil }?.hostname ?? "" }

    /// The port at `hostname`, also when 0 asked for a free one; 0 if the server has Unix sockets only.
    public var port: Int { addresses.first { $0.path == nil }?.port ?? 0 }

    /// Open WebSockets on all loops, as of each loop's last turn.
    public var pendingWebSockets: Int { core.counters.reduce(0) { $0 + Int($1.load().sockets) } }

    /// Requests that wait for the rest of their body or for a deferred reply, as of each loop's last turn.
    public var pendingRequests: Int { core.counters.reduce(0) { $0 + Int($1.load().pendingRequests) } }

    /// Answers requests with another `fetch` from now on. Open sockets keep the handlers they were upgraded to.
    /// - Parameter fetch: called as the initializer's, on the loop that owns the connection.
    public func reload(fetch: @escaping @Sendable (borrowing Request) throws -> Reply) {
        reload(Application(fetch: fetch))
    }

    /// Answers requests by other routes from now on. Open sockets keep the handlers they were upgraded to.
    /// - Throws: where the routes make no sense together, as `init(configuration:routes:)`; the earlier ones stay then.
    public func reload(routes: Routes) throws(ServerError) { reload(try Application(routes)) }

    private func reload(_ application: Application) {
        for loop in 0..<group.loopCount { core.run(LoopJob { $0?.application = application }, on: loop) }
    }
}

/// What a server wants of the loops that somebody else makes for it; see `LoopGroup.init`.
package struct LoopGroupSetup {
    package let log: LogSink
    package let discard: @Sendable (ServiceMessage) -> Void
    package let makeHandler: (EventLoop) -> any ConnectionHandler
}

extension LoopGroupConfiguration {
    init(_ configuration: ServerConfiguration) {
        let logger = configuration.logger
        self.init(
            loops: configuration.loops, pinsThreads: configuration.pinsThreads,
            listeners: configuration.listeningEndpoints.map { endpoint in
                var listener = ListenerConfiguration(endpoint)
                listener.tls = listener.tls.map(configuration.offered)
                return listener
            },
            placement: configuration.placement, driver: configuration.driver, coalescing: configuration.coalescing
        ) { level, message in logger.log(level: Logger.Level(level), "\(message)") }
        measuresTurns = configuration.measuresTurns
    }
}
