import Reactor
public import Ringcast
import SimulatedKernel

/// A server for tests: the real one, on a kernel, a network and a clock in memory.
///
///     let app = try TestServer { request in .upgrade(to: chat) }
///     let ann = try app.connect("/rooms/1", headers: [.cookie: "name=ann"])
///     ann.send("hello")
///     app.advance(by: .seconds(120))
///     #expect(ann.received.map(\.string) == ["hello"])
///
/// It opens no port and starts no thread: its loops are turned by the calls of the test, on their thread. Whenever a
/// call returns, the server has done all that it could do at this moment of its clock, which stands still until
/// `advance(by:)`: an hour passes in microseconds, and every run is like the last one.
///
/// Tasks of the server (`.deferred` replies, streamed bodies, asynchronous message handlers, `ws.task`) run there too,
/// and so do actors that they call. What they wait for elsewhere the test has to wait for: see `serve(until:)`. A task
/// that never stops yielding keeps the server from coming to rest, which ends the test's process.
///
/// It is used by one task at a time, with its clients and its network. Clients do not keep it: when nobody does, it
/// stops: sockets that are open are closed with 1001, and their close handlers run. What is not simulated is TLS
/// (`ServerConfiguration.tls`), the endpoints, and the process's other clocks, such as the time of day in the `Date`
/// header.
public final class TestServer {
    /// The server: to publish, to count, to list. It runs already. What is asked of it with `await` needs `serving`.
    public let server: Server
    /// The network between the server and its clients.
    public let network: TestNetwork
    private let group: SimulatedGroup
    private var connectionCount = 0

    /// Makes a server that runs.
    /// - Parameters:
    ///   - configuration: as it is in the program; where it listens, on how many loops and by which driver is left out.
    ///   - loops: how many loops it has. Clients are given to one after the other.
    ///   - seed: nil, and everything comes in order and whole. With a seed what the kernel answers changes places,
    ///     comes in pieces of any size, or a turn later, in another way for each seed and always the same for one.
    ///   - clock: what the server goes by: one of its own. Give it to code of yours that waits.
    ///   - fetch: called for every request.
    /// - Throws: what makes no sense in the configuration, in one sentence.
    public convenience init(
        configuration: ServerConfiguration = ServerConfiguration(), loops: Int = 1, seed: UInt64? = nil,
        clock: TestClock = TestClock(), fetch: @escaping @Sendable (borrowing Request) throws -> Reply
    ) throws(ServerError) {
        try self.init(configuration, loops, seed, clock, Application(fetch: fetch))
    }

    /// Makes a server that runs, and whose requests are answered by their routes.
    /// - Parameters: as those of the other initializer.
    /// - Throws: what makes no sense in the configuration, or routes that make no sense together, in one sentence.
    public convenience init(
        configuration: ServerConfiguration = ServerConfiguration(), loops: Int = 1, seed: UInt64? = nil,
        clock: TestClock = TestClock(), routes: Routes
    ) throws(ServerError) {
        try self.init(configuration, loops, seed, clock, try Application(routes))
    }

    private init(
        _ configuration: ServerConfiguration, _ loops: Int, _ seed: UInt64?, _ clock: TestClock,
        _ application: Application
    ) throws(ServerError) {
        guard (1...1024).contains(loops) else {
            throw ServerError("\(loops) is not a number of loops: choose 1 to 1024")
        }
        var made: SimulatedGroup?
        server = try Server(configuration: configuration, loopCount: loops, application: application) { setup in
            let group = SimulatedGroup(
                drivers: (0..<loops).map { Self.driver(seed: seed, loop: $0) },
                clock: clock.clock,
                listener: ListenerAddress(hostname: configuration.hostname ?? "127.0.0.1", port: configuration.port),
                discard: setup.discard, log: setup.log, makeHandler: setup.makeHandler)
            made = group
            return group.group
        }
        guard let made else { throw ServerError("a server without loops") }
        group = made
        network = TestNetwork(made, clock)
    }

    deinit {
        stop(within: .zero, deadline: .seconds(5))
        network.end()
    }

    /// The clock that the server goes by.
    public var clock: TestClock { network.clock }

    /// Lets the server do what is to be done at this moment, without time passing. Every other call does so too: it is
    /// there for what the test has done beside its clients.
    public func rest() { network.rest() }

    /// Lets time pass: time-outs end, sleeps by `clock` too, pings are sent and answered, what is under way arrives,
    /// each at its moment. In whole milliseconds. A deadline of the server is up to 128 ms late, as in the program.
    public func advance(by duration: Duration) { network.advance(milliseconds: duration.milliseconds) }

    /// Stops the server, as `Server.stop` does, and lets as much time pass as it takes. By default the times are the
    /// configuration's. Clients that answer the Close frame see theirs; new ones are refused.
    public func stop(
        _ code: CloseCode = .goingAway, reason: String = "", within window: Duration? = nil, deadline: Duration? = nil
    ) {
        server.stop(code, reason: reason, within: window, deadline: deadline)
        rest()
        // Bounded by the server's own deadline; a day is for one that breaks it.
        for _ in 0..<864_000 where !group.hasEnded { network.advance(milliseconds: 100) }
    }

    /// Whether the server has stopped and every connection is closed.
    public var hasStopped: Bool {
        rest()
        return group.hasEnded
    }

    /// The place of the next client: its loop, and its address.
    func place(_ loop: Int?, _ host: String) throws(TestClientError) -> (loop: Int, address: SocketAddress) {
        guard loop.map(group.loops.indices.contains) ?? true else { throw .invalidRequest("there is no loop \(loop!)") }
        connectionCount += 1
        let port = 1_024 + connectionCount % 64_512
        guard let address = SocketAddress(ipAddress: host, port: port) else {
            throw .invalidRequest("\"\(host)\" is not an IP address")
        }
        return (loop ?? (connectionCount - 1) % group.loops.count, address)
    }

    /// Few buffers, so that a server is made quickly; where they run out, connections wait for each other.
    private static func driver(seed: UInt64?, loop: Int) -> SimulatedDriver.Options {
        var options = SimulatedDriver.Options()
        options.smallBuffers = (count: 64, byteCount: 4_096)
        options.largeBuffers = (count: 4, byteCount: 65_536)
        options.seed = seed.map { $0 &+ UInt64(loop) }
        return options
    }
}
