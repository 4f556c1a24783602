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
        /// The first of a new message or a control frame; nothing is held.
        case idle
        /// Part of a header that began earlier, or the first of a frame inside a fragmented message.
        case header
        /// Part of the payload of `frame`.
        case payload
        /// As `idle` or `header`, but the last event lent out `assembled`, which has to be dropped first.
        case lent
        /// Nothing any more.
        case failed
    }

    let role: Role
    let allowsCompression: Bool
    var stage = Stage.idle
    /// Set together with the stage `failed`.
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

    /// - Parameter allowsCompression: permessage-deflate was negotiated: RSV1 is legal on the first frame of a message.
    public init(role: Role, allowsCompression: Bool = false) {
        self.role = role
        self.allowsCompression = allowsCompression
    }

    /// Decodes the next event out of `input`, from `position` on, which it advances over what it consumed. Masked
    /// payloads are unmasked in place.
    ///
    /// nil: all of the input is consumed (the beginning of a frame is kept inside) and more is needed. After a
    /// violation every call gives the same violation and consumes nothing. The offsets of an event hold for this
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

    /// Gives back the memory of the message that the last event lent out. Without it that happens when `next` runs out
    /// of input.
    package mutating func releaseAssembled() {
        dropLent()
        if assembly.count == 0 { assembly.release() }
    }

    /// Bytes of the current data frame that were announced and are still to come; 0 between frames. Tells how large a
    /// receive buffer is worth while.
    public var bytesExpected: Int {
        stage == .payload && !frame.opcode.isControl ? frame.remaining : 0
    }

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
    /// For the next byte of the payload.
    var mask = MaskingKey(rawValue: 0)
    var opcode = Opcode.continuation
    var isFinal = false
    /// Header and payload lie whole in the input, so that the payload can be used where it is.
    var isWhole = false
}
