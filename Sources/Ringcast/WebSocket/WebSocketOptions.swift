public import WebSocketProtocol

/// Limits and timeouts of one kind of socket.
public struct WebSocketOptions: Sendable {
    /// The longest message accepted, counted over all its fragments, in bytes. A longer one closes the socket with
    /// 1009.
    public var maxPayloadLength: Int
    /// A message is dropped when this many bytes or more are already queued for its receiver.
    ///
    /// The bytes are those of memory: where messages wait one by one, since a policy may evict them, each counts 144
    /// bytes beside its own. A message that several sockets share is counted at each; one of 4 KiB or more may keep a
    /// block of 64 KiB as long as it waits.
    public var backpressureLimit: Int
    /// Whether a socket at `backpressureLimit` is closed with 1013, instead of the message being dropped.
    public var closeOnBackpressureLimit: Bool
    /// A socket whose peer shows no life for this long is closed with 1001. No life means that the peer sends nothing,
    /// takes nothing of what waits for it, and no asynchronous handler works on what it has sent. Zero is off; at most
    /// 24 hours.
    public var idleTimeout: Duration
    /// Whether a silent peer is pinged before its idle deadline: a quarter of the timeout ahead, at most 16 seconds.
    public var sendPings: Bool
    /// How long a closed socket waits for the peer's Close frame. What is queued goes out before that, for which the
    /// socket waits longer while the peer takes some of it within this time, and a kilobyte a second on average.
    public var closeTimeout: Duration
    /// A peer that takes nothing for this long while bytes wait for it is cut. Zero is off.
    public var writeStallTimeout: Duration
    /// A socket that has been open for this long is closed with 1001. Zero is off.
    public var maxLifetime: Duration
    /// How many messages and bytes a second a socket may say; nil sets no limit.
    public var messageRate: MessageRateLimit?
    /// Whether a socket that publishes to a topic it is subscribed to receives the message too.
    public var publishToSelf: Bool
    /// So many received messages, or as many bytes as one message may have, wait for an asynchronous handler before
    /// nothing more is read.
    public var maxWaitingMessages: Int
    /// How many pings and pongs a peer may send within ten seconds, since each costs an answer or a handler. More close
    /// the socket with 1008.
    public var maxControlFrames: Int
    /// Whether messages may be compressed (RFC 7692), if the peer agrees, and how: `true`, or each direction by itself.
    /// Off by default: it costs 20 to 60 ns of the loop's time per byte sent, 2 to 10 per byte received.
    public var perMessageDeflate: PerMessageDeflate

    /// The defaults; see each property. `WebSocketHandlers` traps on options that make no sense, such as negative
    /// times; `WebSocketClient.connect` throws.
    public init(
        maxPayloadLength: Int = 16 << 20, backpressureLimit: Int = 16 << 20, closeOnBackpressureLimit: Bool = false,
        idleTimeout: Duration = .seconds(120), sendPings: Bool = true, closeTimeout: Duration = .seconds(5),
        writeStallTimeout: Duration = .seconds(60), maxLifetime: Duration = .zero,
        messageRate: MessageRateLimit? = nil, publishToSelf: Bool = false, maxWaitingMessages: Int = 16,
        maxControlFrames: Int = 1_000, perMessageDeflate: PerMessageDeflate = false
    ) {
        self.maxPayloadLength = maxPayloadLength
        self.backpressureLimit = backpressureLimit
        self.closeOnBackpressureLimit = closeOnBackpressureLimit
        self.idleTimeout = idleTimeout
        self.sendPings = sendPings
        self.closeTimeout = closeTimeout
        self.writeStallTimeout = writeStallTimeout
        self.maxLifetime = maxLifetime
        self.messageRate = messageRate
        self.publishToSelf = publishToSelf
        self.maxWaitingMessages = maxWaitingMessages
        self.maxControlFrames = maxControlFrames
        self.perMessageDeflate = perMessageDeflate
    }
}

extension WebSocketOptions {
    /// What makes no sense in the options, in one sentence; nil if all does.
    var objection: String? {
        let times = [
            ("idleTimeout", idleTimeout), ("closeTimeout", closeTimeout), ("writeStallTimeout", writeStallTimeout),
            ("maxLifetime", maxLifetime),
        ]
        if let objection = Duration.objection(to: times) { return objection }
        if idleTimeout > .seconds(86_400) { return "idleTimeout is at most 24 hours" }
        let counts = [
            ("maxPayloadLength", maxPayloadLength), ("maxWaitingMessages", maxWaitingMessages),
            ("maxControlFrames", maxControlFrames),
        ]
        for (name, count) in counts where count <= 0 { return "\(name) is \(count): it must be positive" }
        if backpressureLimit < 0 { return "backpressureLimit is \(backpressureLimit): it cannot be negative" }
        return messageRate?.objection
    }
}
