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
    /// for a while, this message being the last one, or it is told that this one was dropped, or the socket is closed.
    @inline(never)
    func admitMessage(_ byteCount: Int, now: UInt64) -> MessageAdmission {
        guard let extras, phase == .open else { return .handed }
        if withKind({ $0.answersExcess }) {
            guard extras.meter?.admits(now: now) == false else {
                _ = extras.meter?.take(byteCount: byteCount, now: now)
                return .handed
            }
            dropAndTell(now: now)
            return .dropped
        }
        guard let pause = extras.meter?.take(byteCount: byteCount, now: now), pause > 0 else { return .handed }
        if withKind({ $0.messageRate?.excess }) == .close {
            fail(.policyViolation, reason: "too many messages")
            return .ended
        }
        hold(.throttled)
        extras.throttledUntil = now + pause
        connection.setDeadline(nextDeadline())
        return .handed
    }

    /// Counts a message that is over the rate, and tells the peer of it unless it was told within this second.
    private func dropAndTell(now: UInt64) {
        withKind { unsafe $0.counters.pointee.messagesOverRate += 1 }
        guard extras?.meter?.mayAnswer(now: now) == true,
            case .reply(let message)? = withKind({ $0.messageRate?.excess })
        else { return }
        _ = WebSocket<Void>(self).send(message)
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

/// What became of a message that is counted against the rate.
enum MessageAdmission {
    /// The handler gets it.
    case handed
    /// It is over the rate: the handler does not hear of it, and the socket goes on.
    case dropped
    /// The socket has been closed, and the session may be gone.
    case ended
}

/// What a socket's peer may still say: a token bucket of messages and one of bytes. A message is counted when it is
/// whole; one that is larger than what is left goes through and leaves a debt.
struct MessageMeter {
    private var messages: TokenBucket?
    private var bytes: TokenBucket?
    /// When the peer may be told again that it says too much.
    private var nextAnswer: UInt64 = 0

    init(_ limit: MessageRateLimit, now: UInt64) {
        let burst = Int(clamping: limit.burst.milliseconds)
        messages = limit.messagesPerSecond.map { TokenBucket(perSecond: $0, burst: burst, now: now) }
        bytes = limit.bytesPerSecond.map { TokenBucket(perSecond: $0, burst: burst, now: now) }
    }

    /// Whether there is room for another message, whatever its length.
    mutating func admits(now: UInt64) -> Bool {
        let (hasMessage, hasByte) = (messages?.has(1, now: now) ?? true, bytes?.has(1, now: now) ?? true)
        return hasMessage && hasByte
    }

    /// Whether the peer may be told that it says too much: once a second.
    mutating func mayAnswer(now: UInt64) -> Bool {
        guard now >= nextAnswer else { return false }
        nextAnswer = now + 1_000
        return true
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
        refill(now: now)
        level -= min(count, 1 << 50) * 1_000
        return level >= 0 ? 0 : UInt64((-level + rate - 1) / rate)
    }

    /// Whether so many tokens are there.
    mutating func has(_ count: Int, now: UInt64) -> Bool {
        refill(now: now)
        return level >= count * 1_000
    }

    private mutating func refill(now: UInt64) {
        let (gain, isMuch) = rate.multipliedReportingOverflow(by: Int(clamping: now - time))
        // The level is below the capacity, 2^60, and above minus what one message has: neither sum overflows.
        level = isMuch || gain >= capacity - level ? capacity : level + gain
        time = now
    }
}
