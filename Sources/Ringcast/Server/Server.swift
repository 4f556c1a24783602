import Logging
public import Reactor

/// A WebSocket and HTTP/1.1 server on one io_uring loop per core.
///
/// Its ports are bound when it is made; `run()` serves until it is stopped or cancelled. Every member may be used on
/// any thread.
public final class Server: Sendable {
    let core: SocketCore
    let group: LoopGroup
    /// Where the server listens, in the order of the configuration's endpoints, with the ports that were picked.
    public let addresses: [ListenerAddress]

    /// Binds the ports and makes the loops.
    /// - Parameter fetch: called for every request, on the loop that owns the connection: it must not block. What it
    ///   throws is logged and answered with 500.
    /// - Throws: one sentence that says what to do: the port is taken, io_uring is not allowed here, and the like.
    public init(
        configuration: ServerConfiguration = ServerConfiguration(),
        fetch: @escaping @Sendable (borrowing Request) throws -> Reply
    ) throws(ServerError) {
        if let objection = configuration.objection { throw ServerError(objection) }
        let setup = LoopGroupConfiguration(configuration)
        do throws(ReactorError) {
            let core = SocketCore(
                configuration: configuration, loopCount: try setup.resolvedLoopCount(), fetch: fetch)
            self.core = core
            group = try LoopGroup(setup, discard: { LoopMessage(unpacking: $0).discard() }) { loop in
                SocketLoop(core: core, loop: loop)
            }
        } catch {
            throw ServerError(error.description)
        }
        addresses = group.listeners
        core.group = group
        core.server = self
    }

    /// A server whose loops `makeGroup` makes and its caller turns: in tests. It runs already, so that `run` throws.
    package init(
        configuration: ServerConfiguration, loopCount: Int,
        fetch: @escaping @Sendable (borrowing Request) throws -> Reply, makeGroup: (LoopGroupSetup) -> LoopGroup
    ) throws(ServerError) {
        if let objection = configuration.objection { throw ServerError(objection) }
        let core = SocketCore(configuration: configuration, loopCount: loopCount, fetch: fetch)
        self.core = core
        group = makeGroup(
            LoopGroupSetup(
                log: LoopGroupConfiguration(configuration).log, discard: { LoopMessage(unpacking: $0).discard() },
                makeHandler: { SocketLoop(core: core, loop: $0) }))
        addresses = group.listeners
        _ = core.noteRun()
        core.group = group
        core.server = self
    }

    deinit { core.group = nil }

    /// The first address that the server listens on; empty if it has Unix sockets only.
    public var hostname: String { addresses.first { $0.path == nil }?.host ?? "" }

    /// The port at `hostname`, also when 0 asked for a free one; 0 if the server has Unix sockets only.
    public var port: Int { addresses.first { $0.path == nil }?.port ?? 0 }

    /// Open WebSockets on all loops, as of each loop's last turn.
    public var pendingWebSockets: Int { core.counters.reduce(0) { $0 + Int($1.load().sockets) } }

    /// Requests that wait for the rest of their body or for a deferred reply, as of each loop's last turn.
    public var pendingRequests: Int { core.counters.reduce(0) { $0 + Int($1.load().pendingRequests) } }

    /// Answers requests with another `fetch` from now on. Open sockets keep the handlers they were upgraded to.
    public func reload(fetch: @escaping @Sendable (borrowing Request) throws -> Reply) {
        core.fetch = fetch
        for loop in 0..<group.loopCount { core.run(LoopJob { $0?.fetch = fetch }, on: loop) }
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
            loops: configuration.loops, pinsThreads: configuration.pinning,
            listeners: configuration.listeningEndpoints.map { ListenerConfiguration($0) },
            placement: configuration.placement, driver: configuration.driver, coalescing: configuration.coalescing
        ) { level, message in
            switch level {
            case .info: logger.info("\(message)")
            case .notice: logger.notice("\(message)")
            case .warning: logger.warning("\(message)")
            case .error: logger.error("\(message)")
            }
        }
    }
}
