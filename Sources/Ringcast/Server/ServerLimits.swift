import HTTPProtocol

/// Bounds on connections, requests and topics. A WebSocket's own are in `WebSocketOptions`.
public struct ServerLimits: Sendable {
    /// Bytes of a request head, with its request line. Over it: 431.
    public var headBytes: Int
    /// Header fields of a request. Over it: 431.
    public var headerFields: Int
    /// Bytes of a request target. Over it: 414.
    public var targetBytes: Int
    /// Bytes of a request body that is collected before the request is answered. Over it: 413. Where a route reads its
    /// bodies as they come (`RouteOptions.streamsBody`), the route's own limit takes its place.
    public var bodyBytes: Int
    /// The whole head has to come within this time. Over it: 408.
    public var headTimeout: Duration
    /// A body has this long, and a second more for each kilobyte that has come. Over it: 408.
    public var bodyTimeout: Duration
    /// A connection that asks nothing for this long after it has taken an answer is closed; so is one that takes
    /// nothing of an answer for so long, or less than a kilobyte a second.
    public var keepAliveTimeout: Duration
    /// A client that takes nothing of an answer for this long while bytes wait for it is cut. Zero is off. A
    /// WebSocket's is `WebSocketOptions.writeStallTimeout`.
    public var writeStallTimeout: Duration
    /// A deferred reply has to be there within this time, unless it was given one of its own. Over it: 503.
    public var deferredReplyTimeout: Duration
    /// Topics that one socket may be subscribed to. Beyond it `subscribe` changes nothing.
    public var topicsPerSocket: Int
    /// Topics that retain a message. Beyond it a message is published but not retained.
    public var retainedTopics: Int
    /// Bytes of the messages that topics retain. Beyond it a message is published but not retained.
    public var retainedBytes: Int
    /// Bytes of memory that all topics' histories take together. Beyond it those that were used the longest time ago
    /// are forgotten, until an eighth is free.
    public var historyBytes: Int
    /// Identities that a topic lists as present. Beyond it sockets are subscribed and not listed.
    public var presencePerTopic: Int
    /// Connections that are open at once on all loops. Over it: 503. Nil leaves it to the number of descriptors.
    ///
    /// A TLS connection counts from when it is accepted, not from the end of its handshake. Each loop shakes hands with
    /// 32 connections over the bounds at once, to answer them; it cuts the others.
    public var connections: Int?
    /// Connections of one remote address that are open at once on all loops: of an IPv4 address, or of the 64 bits of
    /// an IPv6 address that its owner has. Over it: 503. Not for Unix sockets, and not behind a proxy, where all have
    /// the proxy's address. Nil: any number. Costs a system call and a lock per connection.
    public var connectionsPerAddress: Int?

    /// The defaults, but for what is given; see each property. Numbers and times that make no sense are told by
    /// `Server.init`.
    public init(
        headBytes: Int = 16 << 10, headerFields: Int = 100, targetBytes: Int = 8 << 10, bodyBytes: Int = 1 << 20,
        headTimeout: Duration = .seconds(10), bodyTimeout: Duration = .seconds(10),
        keepAliveTimeout: Duration = .seconds(10), writeStallTimeout: Duration = .seconds(60),
        deferredReplyTimeout: Duration = .seconds(30),
        topicsPerSocket: Int = 10_000, retainedTopics: Int = 10_000, retainedBytes: Int = 64 << 20,
        historyBytes: Int = 256 << 20, presencePerTopic: Int = 10_000,
        connections: Int? = nil, connectionsPerAddress: Int? = nil
    ) {
        self.headBytes = headBytes
        self.headerFields = headerFields
        self.targetBytes = targetBytes
        self.bodyBytes = bodyBytes
        self.headTimeout = headTimeout
        self.bodyTimeout = bodyTimeout
        self.keepAliveTimeout = keepAliveTimeout
        self.writeStallTimeout = writeStallTimeout
        self.deferredReplyTimeout = deferredReplyTimeout
        self.topicsPerSocket = topicsPerSocket
        self.retainedTopics = retainedTopics
        self.retainedBytes = retainedBytes
        self.historyBytes = historyBytes
        self.presencePerTopic = presencePerTopic
        self.connections = connections
        self.connectionsPerAddress = connectionsPerAddress
    }

    var requestLimits: RequestLimits {
        RequestLimits(
            headBytes: headBytes, fieldCount: headerFields, targetBytes: targetBytes, bodyBytes: bodyBytes)
    }

    /// The same but for the body, of whatever length.
    var headLimits: RequestLimits {
        var limits = requestLimits
        limits.bodyBytes = .max
        return limits
    }
}
