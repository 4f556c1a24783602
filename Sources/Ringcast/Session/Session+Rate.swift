import Reactor
import WebSocketProtocol

/// The rate limit of a peer's messages (`MessageRateLimit`). Sockets without one have neither meter nor trait.
extension Session {
    func startMeter(at now: UInt64) {
        guard let limit = withKind({ $0.messageRate }) else { return }
        makeExtras().meter = MessageMeter(limit, now: now)
        traits.insert(.metered)
    }

    /// Counts a message by its own bytes, not by those that it was compressed to. Beyond the limit the peer is not read
    /// for a while, this message being the last one, or the socket is closed.
    /// - Returns: false if the socket is closed, and the session gone.
    @inline(never)
    func admitMessage(_ byteCount: Int, now: UInt64) -> Bool {
        guard let extras, let limit = withKind({ $0.messageRate }), phase == .open else { return true }
        guard let pause = extras.meter?.take(byteCount: byteCount, now: now), pause > 0 else {
            return true
        }
        switch limit.excess {
        case .close:
            fail(.policyViolation, reason: "too many messages")
            return false
        case .pause:
            hold(.throttled)
            extras.throttledUntil = now + pause
            connection.setDeadline(nextDeadline())
            return true
        }
    }

    /// Reads a throttled peer again once its pause is over.
    func endThrottle(at now: UInt64) {
        guard let extras, let until = extras.throttledUntil, now >= until else { return }
        extras.throttledUntil = nil
        release(.throttled)
    }
}

extension Session {
    func byteCount(of payload: Payload) -> Int {
        func count(_ decoder: borrowing FrameDecoder) -> Int { decoder.assembled.byteCount }
        switch payload {
        case .inPlace(let range): return range.count
        case .assembled: return unsafe count(state.pointee.decoder)
        }
    }
}

/// What a socket's peer may still say: a token bucket of messages and one of bytes. A message is counted when it is
/// whole; one that is larger than what is left goes through and leaves a debt.
struct MessageMeter {
    private var messages: TokenBucket?
    private var bytes: TokenBucket?

    init(_ limit: MessageRateLimit, now: UInt64) {
        let burst = Int(clamping: limit.burst.milliseconds)
        messages = limit.messagesPerSecond.map { TokenBucket(perSecond: $0, burst: burst, now: now) }
        bytes = limit.bytesPerSecond.map { TokenBucket(perSecond: $0, burst: burst, now: now) }
    }

    /// Counts a message, and returns after how many milliseconds there may be another one.
    mutating func take(byteCount: Int, now: UInt64) -> UInt64 {
        max(messages?.take(1, now: now) ?? 0, bytes?.take(byteCount, now: now) ?? 0)
    }
}

/// Tokens that come at a steady rate and are kept up to a number. Counted in thousandths, so that a rate per second is
/// one per millisecond.
struct TokenBucket {
    private let rate: Int
    private let capacity: Int
    private var level: Int
    private var time: UInt64

    /// - Parameters:
    ///   - rate: 1 ... 2^40.
    ///   - burst: so many milliseconds' tokens are kept; at least one token is.
    init(perSecond rate: Int, burst: Int, now: UInt64) {
        self.rate = rate
        capacity = max(1_000, rate * min(burst, 1 << 20))
        level = capacity
        time = now
    }

    /// Takes tokens, on credit if need be, and returns in how many milliseconds none will be owed.
    mutating func take(_ count: Int, now: UInt64) -> UInt64 {
        let (gain, isMuch) = rate.multipliedReportingOverflow(by: Int(clamping: now - time))
        // The level is below the capacity, 2^60, and above minus what one message has: neither sum overflows.
        level = isMuch || gain >= capacity - level ? capacity : level + gain
        time = now
        level -= min(count, 1 << 50) * 1_000
        return level >= 0 ? 0 : UInt64((-level + rate - 1) / rate)
    }
}
