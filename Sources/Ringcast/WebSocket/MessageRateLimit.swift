/// How much one socket may say: a token bucket of messages, and one of their bytes. Control frames have a bound of
/// their own.
public struct MessageRateLimit: Hashable, Sendable {
    /// Messages a second, on average. Nil: any number.
    public var messagesPerSecond: Int?
    /// Bytes of messages a second, on average, their headers not counted. Nil: any number.
    public var bytesPerSecond: Int?
    /// How much may come at once: as much as this time allows, and at least one message.
    public var burst: Duration
    /// What becomes of a peer that says more.
    public var excess: Excess

    /// What becomes of a peer that says more than it may.
    public enum Excess: Hashable, Sendable {
        /// It is not read until it may go on, so that it feels TCP's backpressure; nothing is lost. Its idle time
        /// rests.
        case pause
        /// Its socket is closed with 1008.
        case close
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

    /// What makes no sense in it, in one sentence; nil: nothing.
    var objection: String? {
        for rate in [messagesPerSecond, bytesPerSecond].compactMap(\.self) where !(1...1 << 40).contains(rate) {
            return "a rate is 1 to 2^40 a second, not \(rate); nil is no limit"
        }
        return Duration.objection(to: [("burst", burst)])
    }
}
