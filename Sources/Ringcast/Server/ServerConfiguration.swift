import Glibc
public import PubSub
public import Logging
public import Reactor
public import WebSocketProtocol

/// Where a server listens, on how many loops, and its limits.
public struct ServerConfiguration: Sendable {
    /// The address to listen on; nil is all of them, IPv6 and IPv4.
    public var hostname: String?
    /// The port to listen on. 0 picks a free one, which `Server.port` tells.
    public var port: Int
    /// Where to listen instead of `hostname` and `port`, if it is not empty: any number of ports and Unix sockets.
    public var endpoints: [Endpoint]
    /// How many event loops: one per core the process may run on, unless a number is given.
    public var loops: LoopCount
    /// Whether each loop stays on its core; by default it does, unless a cgroup quota lowers the number of loops.
    public var pinsThreads: Bool?
    /// Which loop gets a new connection: the one the kernel picks, or the one with the fewest.
    public var placement: ConnectionPlacement
    /// How the loops talk to the kernel.
    public var driver: DriverChoice
    /// Whether busy loops wait a little for more work, which saves CPU and costs latency.
    public var coalescing: Coalescing
    /// Whether to share the port with other processes that ask for the same.
    public var reusePort: Bool
    /// The certificates to serve `https` and `wss` with, nil for plain connections. Where `endpoints` are given, each
    /// has its own. See `Server.reloadCertificates`.
    public var tls: TLSConfiguration?
    /// Serves HTTP/2 beside HTTP/1.1, and WebSockets over it; nil, the default, serves HTTP/1.1 alone.
    public var http2: HTTP2Options?
    /// Which web pages may open a WebSocket. Clients that send no `Origin`, as most that are not browsers, always may.
    public var originPolicy: OriginPolicy
    /// Proxies whose `X-Forwarded-For` is believed by `Request.clientAddress`: `["10.0.0.0/8", "::1", "unix"]`.
    public var trustedProxies: [AddressRange]
    /// Subprotocols of the server, the one it likes best first; the first that a client offers is chosen.
    public var subprotocols: [String]
    /// What becomes of topics' messages at subscribers that do not keep up. `Server.setSlowConsumerPolicy` overrides it
    /// for a topic.
    public var slowConsumerPolicy: SlowConsumerPolicy
    /// What is different for some topics, by name or by the beginning of names; see `TopicRule` for which rule counts.
    public var topics: [TopicRule]
    /// Hears of who joins and leaves topics: the first socket that subscribes as an identity, and the end of the last.
    /// Called on the topic's home loop, in the order in which it happened, so that what it publishes to a topic of
    /// total order says it in that order. It must not block.
    public var presence: (@Sendable (Server, Topic, PresenceChange) -> Void)?
    /// The cluster that the server is a node of, if it is one of several.
    public var cluster: Cluster?
    /// How streams of server-sent events are kept.
    public var events: EventStreamOptions
    /// Bounds on connections, requests and topics. What bounds a WebSocket is in its handlers' options.
    public var limits: ServerLimits
    /// How `Server.stop` spreads its work.
    public var stop: StopTiming
    /// Whether to tell systemd what the server does, where the environment says how: `READY=1` once every loop turns,
    /// `STOPPING=1` when `Server.stop` is called, and with `WatchdogSec=` in the unit `WATCHDOG=1` twice as often, as
    /// long as every loop answers. Without `NOTIFY_SOCKET` in the environment nothing is told. For one server of a
    /// process.
    public var notifiesSystemd: Bool
    /// Whether loops measure how long their turns take and how busy they are: two of the metrics, for two readings of
    /// the clock per turn. All others are counted whatever this says.
    public var measuresTurns: Bool
    /// The log for what the server's operator or author should know.
    public var logger: Logger

    /// The defaults, but for what is given; see each property. `port` is the environment's `PORT` if it is left out,
    /// else 3000.
    public init(
        hostname: String? = nil,
        port: Int? = nil,
        endpoints: [Endpoint] = [],
        loops: LoopCount = .perCore,
        pinsThreads: Bool? = nil,
        placement: ConnectionPlacement = .kernel,
        driver: DriverChoice = .automatic,
        coalescing: Coalescing = .off,
        reusePort: Bool = false,
        tls: TLSConfiguration? = nil,
        http2: HTTP2Options? = nil,
        originPolicy: OriginPolicy = .sameOrigin,
        trustedProxies: [AddressRange] = [],
        subprotocols: [String] = [],
        slowConsumerPolicy: SlowConsumerPolicy = .dropNewest,
        topics: [TopicRule] = [],
        presence: (@Sendable (Server, Topic, PresenceChange) -> Void)? = nil,
        cluster: Cluster? = nil,
        events: EventStreamOptions = EventStreamOptions(),
        limits: ServerLimits = ServerLimits(),
        stop: StopTiming = StopTiming(),
        notifiesSystemd: Bool = false,
        measuresTurns: Bool = true,
        logger: Logger = Logger(label: "ringcast")
    ) {
        self.hostname = hostname
        self.port = port ?? Self.portFromEnvironment ?? 3000
        self.endpoints = endpoints
        self.loops = loops
        self.pinsThreads = pinsThreads
        self.placement = placement
        self.driver = driver
        self.coalescing = coalescing
        self.reusePort = reusePort
        self.tls = tls
        self.http2 = http2
        self.originPolicy = originPolicy
        self.trustedProxies = trustedProxies
        self.subprotocols = subprotocols
        self.slowConsumerPolicy = slowConsumerPolicy
        self.topics = topics
        self.presence = presence
        self.cluster = cluster
        self.events = events
        self.limits = limits
        self.stop = stop
        self.notifiesSystemd = notifiesSystemd
        self.measuresTurns = measuresTurns
        self.logger = logger
    }

    var listeningEndpoints: [Endpoint] {
        endpoints.isEmpty ? [.tcp(hostname: hostname, port: port, reusePort: reusePort, tls: tls)] : endpoints
    }

    /// An endpoint's TLS configuration, as it is used: HTTP/2 is offered first where it is served.
    func offered(by tls: TLSConfiguration) -> TLSConfiguration {
        guard http2 != nil, !tls.applicationProtocols.contains(HTTP2Options.name) else { return tls }
        var tls = tls
        tls.applicationProtocols.insert(HTTP2Options.name, at: 0)
        return tls
    }

    private static var portFromEnvironment: Int? {
        // Safe: the string is copied at once; nothing here changes the environment.
        guard let value = unsafe getenv("PORT") else { return nil }
        return Int(unsafe String(cString: value))
    }
}

/// How `Server.stop` spreads its work.
public struct StopTiming: Sendable {
    /// The time over which sockets are closed one after the other, so that they do not reconnect all at once.
    public var window: Duration
    /// How long after the window what is not closed is cut.
    public var deadline: Duration

    /// A window and a deadline: half a second, and five more, if they are left out.
    public init(window: Duration = .milliseconds(500), deadline: Duration = .seconds(5)) {
        self.window = window
        self.deadline = deadline
    }
}
