/// How streams of server-sent events (`Reply.events`) are kept.
public struct EventStreamOptions: Sendable {
    /// How long after the last comment a stream gets another one, which keeps proxies from taking a quiet stream for a
    /// dead one. Zero is off: then nobody notices a client that is gone without a word.
    public var commentInterval: Duration
    /// With this many bytes queued for a client its topic's slow-consumer policy decides what becomes of a message.
    public var backpressureLimit: Int

    /// The defaults, but for what is given; see each property. What makes no sense is told by `Server.init`.
    public init(commentInterval: Duration = .seconds(15), backpressureLimit: Int = 16 << 20) {
        self.commentInterval = commentInterval
        self.backpressureLimit = backpressureLimit
    }

    var objection: String? {
        if let objection = Duration.objection(to: [("events.commentInterval", commentInterval)]) { return objection }
        guard backpressureLimit > 0 else {
            return "events.backpressureLimit is \(backpressureLimit): it must be positive"
        }
        return nil
    }

    /// The same as the options of a kind of socket. Its idle time is that between two comments.
    func socketOptions(_ limits: ServerLimits) -> WebSocketOptions {
        WebSocketOptions(
            backpressureLimit: backpressureLimit, idleTimeout: commentInterval, sendPings: false,
            writeStallTimeout: limits.writeStallTimeout)
    }
}
