// WebSocketProtocol: RFC 6455 and permessage-deflate (RFC 7692) as functions of bytes: no I/O, no clock, no topics, and
// no HTTP beside the values of headers. One connection's state at most; nothing here knows of loops or threads.
//
// Receiving: `FrameDecoder` (`+WholeMessage` is the short way, `+Header`, `+Payload`, `+Control` the long one) gives
// `FrameEvent`s, or a `ProtocolViolation` with its `CloseCode`. Sending: `FrameHeader`, `MaskingKey`. The opening
// handshake: `Handshake` for servers, `ClientHandshake` for clients. `Deflate/` negotiates compression, and compresses.

/// Turns the bytes of a connection into messages and control frames (RFC 6455 §5), without any I/O.
///
/// A frame that lies whole in the input is unmasked where it lies and reported as offsets: no copy, no allocation. What
/// comes in pieces is copied into memory that the decoder owns until it is complete. A decoder that waits for nothing
/// owns no memory.
///
/// Not thread-safe: it belongs to one connection, on that connection's loop.
public struct FrameDecoder: ~Copyable {
    /// What the next byte is.
    enum Stage: UInt8 {
        /// The first byte of a new message or a control frame; the decoder keeps nothing of earlier ones.
        case idle
        /// A byte of a header that began earlier, or the first of a frame inside a fragmented message.
        case header
        /// A byte of the payload of `frame`.
        case payload
        /// As in `idle` or `header`, but the last event lent out `assembled`, which has to be dropped first.
        case lent
        /// Of no interest: a violation has been found.
        case failed
    }

    let role: Role
    let allowsCompression: Bool
    var stage = Stage.idle
    /// The violation that was found; it means something in the stage `failed` only.
    var violation = ProtocolViolation.reservedBits
    var validator = UTF8Validator()
    /// The message under way: set from its first frame's header to its last byte.
    var message: MessageKind?
    var emptyFragments: UInt32 = 0
    var partialHeader = PartialHeader()
    var frame = IncomingFrame()
    /// The bytes of the message under way; behind them, for a moment, those of a control frame between its fragments.
    var assembly = AssemblyBuffer()
    /// Where the bytes of the current frame's event begin in `assembly`: behind the message for a control frame, else
    /// 0.
    var lentStart = 0
    /// Bytes of the event that are not its payload: a close code, which the reason follows.
    var lentSkip: UInt8 = 0

    /// - Parameters:
    ///   - role: which side receives the frames.
    ///   - allowsCompression: whether permessage-deflate was negotiated, so that RSV1 is legal on the first frame of a
    ///     message.
    public init(role: Role, allowsCompression: Bool = false) {
        self.role = role
        self.allowsCompression = allowsCompression
    }

    /// Decodes the next event out of `input`, from `position` on, which it advances over what it consumed. Masked
    /// payloads are unmasked in place.
    ///
    /// Gives nil when all of the input is consumed (the beginning of a frame is kept inside) and more is needed. After
    /// a violation every call gives that violation again and consumes nothing. The offsets of an event hold for this
    /// `input` only.
    ///
    /// Cost: a small frame some tens of instructions; a large one memory speed. Never traps on what a peer sent.
    /// - Precondition: `position` lies in `input` or at its end.
    public mutating func next(
        in input: inout MutableRawSpan, at position: inout Int, limits: DecoderLimits
    ) -> FrameEvent? {
        if stage == .idle {
            if position == input.byteCount {
                assembly.release()
                return nil
            }
            if let event = wholeMessage(in: &input, at: &position, limits: limits) { return event }
        }
        if stage == .failed { return .violation(violation) }
        do throws(ProtocolViolation) {
            return try decode(&input, at: &position, limits: limits)
        } catch {
            return fail(error)
        }
    }

    /// The payload that the last event called `.assembled`; valid until the next call of `next`.
    public var assembled: RawSpan {
        @_lifetime(borrow self)
        get { assembly.bytes(from: stage == .lent ? lentStart + Int(lentSkip) : assembly.count) }
    }

    /// Gives back the memory of the message that the last event lent out. `next` does so itself when it runs out of
    /// input.
    package mutating func releaseAssembled() {
        dropLent()
        if assembly.count == 0 { assembly.release() }
    }

    /// Bytes of the current data frame that were announced and are still to come; 0 between frames. Tells how large a
    /// receive buffer pays.
    public var expectedByteCount: Int { stage == .payload && !frame.opcode.isControl ? frame.remaining : 0 }

    /// Whether the decoder stands between two messages and holds no part of anything.
    public var isIdle: Bool { stage == .idle || (stage == .lent && message == nil) }

    mutating func fail(_ violation: ProtocolViolation) -> FrameEvent {
        self.violation = violation
        stage = .failed
        assembly.release()
        return .violation(violation)
    }
}

/// The frame whose payload is arriving.
struct IncomingFrame {
    /// Payload bytes that have not arrived.
    var remaining = 0
    /// The key for the next byte of the payload.
    var mask = MaskingKey(rawValue: 0)
    var opcode = Opcode.continuation
    var isFinal = false
    /// Whether header and payload lie whole in the input, so that the payload can be used where it is.
    var isWhole = false
}
