/// Counts frames of the kinds that cost a client nothing and a server work, by their headers alone, as bytes pass on
/// their way to nghttp2. What is over a bound goes no further.
///
/// One law for all of them, whatever nghttp2's version bounds by itself: rapid reset (CVE-2023-44487) and resets that
/// the server is brought to (CVE-2025-8671), continuation flood (CVE-2024-27316), floods of SETTINGS, PING, PRIORITY
/// and empty DATA (CVE-2019-9512, 9513, 9515, 9518). The verdict is a function of the bytes and of time, not of how the
/// bytes were split. Does not allocate.
struct FloodGuard: Sendable {
    /// How long (ms) frames are counted together.
    static let span: UInt64 = 10_000

    private let limits: HTTP2Limits
    /// Bytes that are no frame header: of the preface, then of the payload of the frame whose header was seen last.
    private var skipped = HTTP2Preface.bytes.count
    private var headerByteCount = 0
    private var length = 0
    private var type: UInt8 = 0
    private var flags: UInt8 = 0
    private var spanStart: UInt64 = 0
    private var requests = 0
    private var controlFrames = 0
    private var resets = 0
    private var continuations = 0

    init(limits: HTTP2Limits) { self.limits = limits }

    /// Looks at the next bytes.
    /// - Returns: nil if all of them may pass; else why not, and how many may.
    mutating func admit(_ bytes: RawSpan, now: UInt64) -> (failure: HTTP2Failure, admitted: Int)? {
        if now &- spanStart >= Self.span {
            spanStart = now
            (requests, controlFrames, resets) = (0, 0, 0)
        }
        var position = 0
        while position < bytes.byteCount {
            let count = min(skipped, bytes.byteCount - position)
            position += count
            skipped -= count
            guard position < bytes.byteCount, skipped == 0 else { break }
            // A UInt8 has no invalid bit patterns, and the load checks its bounds.
            note(unsafe bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self))
            position += 1
            guard headerByteCount == HTTP2DataFrame.headerByteCount else { continue }
            headerByteCount = 0
            skipped = length
            if let excess = countFrame() { return (HTTP2Failure(.enhanceYourCalm, excess), position - 1) }
        }
        return nil
    }

    /// Counts a stream that the client has reset, or had reset by breaking a rule; returns what there is too much of.
    mutating func countReset() -> String? {
        resets += 1
        return resets > limits.resets ? "too many streams were reset" : nil
    }

    /// Takes the next byte of a frame header (RFC 9113 §4.1).
    private mutating func note(_ byte: UInt8) {
        switch headerByteCount {
        case 0: length = Int(byte)
        case 1, 2: length = length << 8 | Int(byte)
        case 3: type = byte
        case 4: flags = byte
        default: break
        }
        headerByteCount += 1
    }

    /// Counts the frame whose header has come; returns what there is too much of.
    private mutating func countFrame() -> String? {
        if type != FrameType.continuation { continuations = 0 }
        switch type {
        case FrameType.headers: requests += 1
        case FrameType.continuation:
            continuations += 1
            if continuations > limits.continuations { return "a header list in too many frames" }
        case FrameType.reset: return countReset()
        case FrameType.windowUpdate: break
        case FrameType.data where length > 0 || flags & FrameType.endStream != 0: break
        default:
            controlFrames += 1
            if controlFrames > limits.controlFrames + 2 * requests { return "too many frames that ask for nothing" }
        }
        return nil
    }
}
