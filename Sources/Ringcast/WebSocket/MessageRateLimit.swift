/// How much one socket may say: a token bucket of messages, and one of their bytes. Control frames are bounded by
/// `WebSocketOptions.maxControlFrames`.
public struct MessageRateLimit: Hashable, Sendable {
    /// Messages a second, on average; nil sets no limit.
    public var messagesPerSecond: Int?
    /// Bytes of messages a second, on average, their headers not counted; nil sets no limit.
    public var bytesPerSecond: Int?
    /// How much may come at once: what the rates allow in this time, and at least one message.
    public var burst: Duration
    /// What becomes of a peer that says more.
    public var excess: Excess

    /// What becomes of a peer that says more than it may.
    @nonexhaustive public enum Excess: Hashable, Sendable {
        /// The peer is not read until it may go on, so that it feels TCP's backpressure; nothing is lost. Its idle time
        /// rests.
        case pause
        /// The peer's socket is closed with 1008.
        case close
        /// Messages over the rate are dropped before the handler sees them, and counted
        /// (`ServerStatistics.messagesOverRate`); the peer is told by this message: with the first one that is dropped,
        /// and then at most once a second while more are.
        ///
        /// What is dropped uses up nothing, so that a peer that keeps saying too much is heard at the rate. It costs
        /// its loop what reading its frames costs, since it is not held up: against floods take `pause` or `close`.
        case reply(OwnedMessage)
    }

    /// A limit of messages, of bytes, or of both.
    public init(
        messagesPerSecond: Int? = nil, bytesPerSecond: Int? = nil, burst: Duration = .seconds(1),
        excess: Excess = .pause
    ) {
        self.messagesPerSecond = messagesPerSecond
        self.bytesPerSecond = bytesPerSecond
        self.burst = burst
        self.excess = excess
    }

    /// What makes no sense in the limit, in one sentence; nil if all does.
    var objection: String? {
        for rate in [messagesPerSecond, bytesPerSecond].compactMap(\.self) where !(1...1 << 40).contains(rate) {
            return "a rate is 1 to 2^40 a second, not \(rate); nil is no limit"
        }
        return Duration.objection(to: [("burst", burst)])
    }
}
