import ArgumentParser
import Ringcast

/// The options of `ringcast serve`.
struct ServeOptions: ParsableArguments {
    @Option(help: "The address to listen on; all addresses if it is left out.")
    var host: String?

    @Option(help: "The port to listen on, 0 for a free one; $PORT or 3000 if it is left out.")
    var port: Int?

    @Option(help: "How many loops; one per core if it is left out.")
    var loops: Int?

    @Flag(help: "Do not bind each loop to a core of its own.")
    var noPin = false

    @Option(help: "The longest message accepted, in bytes.")
    var maxPayload = 16 << 20

    @Option(help: "Close a socket that says nothing for so many seconds; 0 is never.")
    var idleTimeout = 120

    @Option(help: "Drop what is sent to a socket that has so many bytes queued.")
    var backpressureLimit = 16 << 20

    @OptionGroup(title: "Bounds")
    var bounds: BoundOptions

    @Option(help: "How to talk to the kernel: auto (io_uring where it works, else epoll), uring or epoll.")
    var driver = Driver.auto

    @Option(
        help: ArgumentHelp(
            "Let a busy loop wait for more work, so many microseconds at most: less CPU, more latency. 0 is off.",
            valueName: "microseconds"))
    var coalesceUs = 0

    @Flag(help: "Say nothing but what goes wrong.")
    var quiet = false

    @Option(
        help: "Compression of messages: off, shared (nothing remembered between them) or dedicated (per connection).")
    var compression = Compression.off

    @Option(
        help: ArgumentHelp(
            "Listen on a Unix socket: a path, or an abstract name behind an @. Instead of a port, unless --host or "
                + "--port is given too.",
            valueName: "path"))
    var unix: String?

    @Flag(help: "Share the port with other processes that ask for the same; take --unix over from one that serves it.")
    var reusePort = false

    @OptionGroup(title: "TLS") var tls: TLSOptions

    @Flag(help: "Serve HTTP/2 too, and WebSockets over it: over TLS to who asks for it, else with prior knowledge.")
    var http2 = false

    @Option(
        help: ArgumentHelp(
            "Whose web pages may open a WebSocket: same (those of this server) or any. Who is no browser always may.",
            valueName: "whose"))
    var origin = Origin.same

    @Flag(
        help:
            "Let everybody use /publish/T, /stats and /metrics, not only who connects by the loopback or a Unix socket."
    )
    var open = false

    @Flag(help: "Do not measure how long turns of the loops take and how busy they are.")
    var noTurnTimes = false

    @Option(
        help: ArgumentHelp(
            "What becomes of a topic's messages at a subscriber that is at its backpressure limit: drop-newest, "
                + "drop-oldest, latest (only the newest one waits) or close (with 1013).",
            valueName: "policy"))
    var slowConsumer = SlowConsumer.dropNewest

    @Option(
        help: ArgumentHelp(
            "The order of all topics' messages: total (one for all subscribers) or per-publisher. If it is left out, "
                + "total for the rooms of /chat and /room, per publisher for all others.",
            valueName: "order"))
    var order: Order?

    @Option(
        help: ArgumentHelp(
            "Keep the newest messages of a topic, or of all topics that begin like this (a * at the end), for who was "
                + "away: topic/*=50. They go on with /topic/T?after=POSITION.",
            valueName: "pattern=count"))
    var history: [HistoryOption] = []

    @Option(
        help: ArgumentHelp(
            "The engine over which this server shares its topics with others: redis:// or rediss:// with "
                + "USER:PASSWORD@HOST:PORT, nats:// or tls:// likewise. With NATS, --history is refused.",
            valueName: "url"))
    var cluster: ClusterOption?

    @Option(help: "How kept messages say their positions: json, a member \"position\" of those that are JSON objects.")
    var stamp: Stamp?

    enum Stamp: String, ExpressibleByArgument, CaseIterable {
        case json
    }

    enum Origin: String, ExpressibleByArgument, CaseIterable {
        case same, any

        var policy: OriginPolicy {
            switch self {
            case .same: .sameOrigin
            case .any: .any
            }
        }
    }

    enum Order: String, ExpressibleByArgument, CaseIterable {
        case total
        case perPublisher = "per-publisher"
    }
    enum Driver: String, ExpressibleByArgument, CaseIterable {
        case auto, uring, epoll

        var choice: DriverChoice {
            switch self {
            case .auto: .automatic
            case .uring: .uring
            case .epoll: .epoll
            }
        }
    }

    enum Compression: String, ExpressibleByArgument, CaseIterable {
        case off, shared, dedicated

        var options: PerMessageDeflate {
            switch self {
            case .off: false
            case .shared: true
            case .dedicated: PerMessageDeflate(compress: .dedicated, decompress: .dedicated)
            }
        }
    }

    enum SlowConsumer: String, ExpressibleByArgument, CaseIterable {
        case dropNewest = "drop-newest"
        case dropOldest = "drop-oldest"
        case latest
        case close

        var policy: SlowConsumerPolicy {
            switch self {
            case .dropNewest: .dropNewest
            case .dropOldest: .dropOldest
            case .latest: .latest
            case .close: .close(.tryAgainLater)
            }
        }
    }

    func validate() throws {
        if let port {
            try require(0...65_535 ~= port, "--port \(port) is out of range: choose 1 to 65535, or 0 for a free one")
        }
        if let loops { try require(1...1_024 ~= loops, "--loops \(loops) is out of range: choose 1 to 1024 loops") }
        try require(maxPayload > 0, "--max-payload must be at least 1 byte")
        try require(0...86_400 ~= idleTimeout, "--idle-timeout is 0 to 86400 seconds")
        try require(0...100_000 ~= coalesceUs, "--coalesce-us is 0 to 100000 microseconds")
        try require(backpressureLimit > 0, "--backpressure-limit must be at least 1 byte")
        try bounds.check()
    }

    private func require(_ condition: Bool, _ sentence: String) throws {
        guard condition else { throw ValidationError(sentence) }
    }

    var topicRules: [TopicRule] {
        let rules: [TopicRule] =
            switch order {
            case .total: [.matching("*", order: .total)]
            case .perPublisher: []
            case nil: [.matching("chat", order: .total), .matching("room", order: .total)]
            }
        return history.flatMap { $0.rules(stamping: stamp == .json ? .json : nil) } + rules
    }

    /// Whether the chat page's room keeps its messages.
    var remembersRoom: Bool { history.contains { $0.matchesRoom } }

    /// Where to listen, if `--unix` is given or systemd has handed sockets over; empty where host and port say it all.
    func endpoints(tls: TLSConfiguration?) throws(ServerError) -> [Endpoint] {
        var sockets: [Endpoint] = try .systemd(tls: tls)
        if let unix {
            sockets.append(
                unix.hasPrefix("@") ? .abstract(String(unix.dropFirst())) : .unix(path: unix, reusePort: reusePort))
        }
        guard !sockets.isEmpty, host != nil || port != nil else { return sockets }
        return [.tcp(hostname: host, port: port ?? 3000, reusePort: reusePort, tls: tls)] + sockets
    }

    var socketOptions: WebSocketOptions {
        WebSocketOptions(
            maxPayloadLength: maxPayload, backpressureLimit: backpressureLimit, idleTimeout: .seconds(idleTimeout),
            perMessageDeflate: compression.options)
    }
}
