import Glibc
import HTTPProtocol
public import Logging
public import Reactor
public import WebSocketProtocol

/// Where a server listens, on how many loops, and its limits.
public struct ServerConfiguration: Sendable {
    /// The address to listen on. Nil: all addresses, IPv6 and IPv4.
    public var hostname: String?
    /// The port to listen on. 0 picks a free one, which `Server.port` tells.
    public var port: Int
    /// Where to listen instead of `hostname` and `port`, if it is not empty: any number of ports and Unix sockets.
    public var endpoints: [Endpoint]
    /// How many event loops: one per core the process may run on, unless a number is given.
    public var loops: LoopCount
    /// Whether each loop stays on its core. Nil: yes, unless a cgroup quota lowers the number of loops.
    public var pinning: Bool?
    /// Which loop gets a new connection: the one the kernel picks, or the one with the fewest.
    public var placement: ConnectionPlacement
    /// How the loops talk to the kernel.
    public var driver: DriverChoice
    /// Whether busy loops wait a little for more work, which saves CPU and costs latency.
    public var coalescing: Coalescing
    /// Share the port with other processes that ask for the same.
    public var reusePort: Bool
    /// Serve `https` and `wss` with these certificates; nil: plain connections. Where `endpoints` are given, each has
    /// its own. See `Server.reloadCertificates`.
    public var tls: TLSConfiguration?
    /// Which web pages may open a WebSocket. Clients that send no `Origin`, as most that are not browsers, always may.
    public var originPolicy: OriginPolicy
    /// Subprotocols of the server, the one it likes best first; the first that a client offers is chosen.
    public var subprotocols: [String]
    /// What becomes of topics' messages at subscribers that do not keep up. `Server.setSlowConsumerPolicy` overrides it
    /// for a topic.
    public var slowConsumerPolicy: SlowConsumerPolicy
    /// What is different for some topics, by name or by the beginning of names; the first rule that matches counts.
    public var topics: [TopicRule]
    /// Bounds on connections and requests. What bounds a WebSocket is in its handlers' options.
    public var limits: ServerLimits
    /// How `Server.stop` spreads its work.
    public var stop: StopTiming
    /// Where the server says what its operator or author should know.
    public var logger: Logger

    /// - Parameter port: nil takes the environment's `PORT`, else 3000.
    public init(
        hostname: String? = nil,
        port: Int? = nil,
        endpoints: [Endpoint] = [],
        loops: LoopCount = .perCore,
        pinning: Bool? = nil,
        placement: ConnectionPlacement = .kernel,
        driver: DriverChoice = .automatic,
        coalescing: Coalescing = .off,
        reusePort: Bool = false,
        tls: TLSConfiguration? = nil,
        originPolicy: OriginPolicy = .sameOrigin,
        subprotocols: [String] = [],
        slowConsumerPolicy: SlowConsumerPolicy = .dropNewest,
        topics: [TopicRule] = [],
        limits: ServerLimits = ServerLimits(),
        stop: StopTiming = StopTiming(),
        logger: Logger = Logger(label: "ringcast")
    ) {
        self.hostname = hostname
        self.port = port ?? Self.portFromEnvironment ?? 3000
        self.endpoints = endpoints
        self.loops = loops
        self.pinning = pinning
        self.placement = placement
        self.driver = driver
        self.coalescing = coalescing
        self.reusePort = reusePort
        self.tls = tls
        self.originPolicy = originPolicy
        self.subprotocols = subprotocols
        self.slowConsumerPolicy = slowConsumerPolicy
        self.topics = topics
        self.limits = limits
        self.stop = stop
        self.logger = logger
    }

    /// The endpoints, or the one that host name and port describe.
    var listeningEndpoints: [Endpoint] {
        endpoints.isEmpty ? [.tcp(hostname: hostname, port: port, reusePort: reusePort, tls: tls)] : endpoints
    }

    private static var portFromEnvironment: Int? {
        // Safe: the string is copied at once; nothing here changes the environment.
        guard let value = unsafe getenv("PORT") else { return nil }
        return Int(unsafe String(cString: value))
    }
}

/// Bounds on what clients may ask before they have become WebSockets.
public struct ServerLimits: Sendable {
    /// Bytes of a request head, with its request line. Over it: 431.
    public var headBytes = 16 << 10
    /// Header fields of a request. Over it: 431.
    public var headerFields = 100
    /// Bytes of a request target. Over it: 414.
    public var targetBytes = 8 << 10
    /// Bytes of a request body. Over it: 413.
    public var bodyBytes = 1 << 20
    /// The whole head has to come within this time. Over it: 408.
    public var headTimeout = Duration.seconds(10)
    /// A body has this long, and a second more for each kilobyte that has come. Over it: 408.
    public var bodyTimeout = Duration.seconds(10)
    /// A connection that asks nothing for this long after it has taken an answer is closed; so is one that takes
    /// nothing of it for so long, or less than a kilobyte a second.
    public var keepAliveTimeout = Duration.seconds(10)
    /// A deferred reply has to be there within this time, unless it was given one of its own. Over it: 503.
    public var deferredReplyTimeout = Duration.seconds(30)
    /// Topics that one socket may be subscribed to.
    public var topicsPerSocket = 10_000
    /// Topics that retain a message. Beyond it a message is published but not retained.
    public var retainedTopics = 10_000
    /// Bytes of the messages that topics retain. Beyond it a message is published but not retained.
    public var retainedBytes = 64 << 20
    /// Connections that are open at once on all loops. Over it: 503. Nil leaves it to the number of
    /// descriptors.
    ///
    /// A TLS connection counts from when it is accepted, not from the end of its handshake. Each loop shakes hands with
    /// 32 connections over the bounds at once, to answer them; it cuts the others.
    public var connections: Int?
    /// Connections of one remote address that are open at once on all loops: of an IPv4 address, or of the 64 bits of
    /// an IPv6 address that its owner has. Over it: 503. Not for Unix sockets, and not behind a proxy, where all have
    /// the proxy's address. Nil: any number. Costs a system call and a lock per connection.
    public var connectionsPerAddress: Int?

    /// The defaults.
    public init() {}

    var requestLimits: RequestLimits {
        RequestLimits(
            headBytes: headBytes, fieldCount: headerFields, targetBytes: targetBytes, bodyBytes: bodyBytes)
    }
}

/// How `Server.stop` spreads its work.
public struct StopTiming: Sendable {
    /// The sockets are closed one after the other over this time, so that they do not reconnect all at once.
    public var window: Duration
    /// What is not closed this long after the window is cut.
    public var deadline: Duration

    /// By default half a second, and five more.
    public init(window: Duration = .milliseconds(500), deadline: Duration = .seconds(5)) {
        self.window = window
        self.deadline = deadline
    }
}
