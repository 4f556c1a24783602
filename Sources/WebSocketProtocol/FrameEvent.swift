/// What `FrameDecoder` found.
public enum FrameEvent: Hashable, Sendable {
    /// A whole message. Text is valid UTF-8, unless it is compressed: then nobody has looked at it yet.
    case message(MessageKind, Payload)
    /// A ping, to be answered with a pong of its payload (RFC 6455 §5.5.2).
    case ping(Payload)
    /// A pong, which may answer a ping or none (§5.5.3).
    case pong(Payload)
    /// The peer's Close frame: its code, nil if the frame was empty (to be reported as 1005), and its reason, valid
    /// UTF-8.
    case close(CloseCode?, Payload)
    /// The peer broke the protocol: the connection has to be closed with the violation's code.
    case violation(ProtocolViolation)
}

/// Text or binary, compressed or not: what the first frame of a message says of all of it.
public struct MessageKind: Hashable, Sendable {
    /// `.text` or `.binary`.
    public let opcode: Opcode
    /// Whether the payload is deflated: RSV1 of the first frame (RFC 7692 §6).
    public let isCompressed: Bool

    /// - Precondition: `opcode` is `.text` or `.binary`.
    @inlinable public init(opcode: Opcode, isCompressed: Bool = false) {
        precondition(opcode == .text || opcode == .binary, "a message is text or binary")
        self.opcode = opcode
        self.isCompressed = isCompressed
    }

    /// A message of one plain frame.
    @inline(__always)
    init(isText: Bool) {
        opcode = isText ? .text : .binary
        isCompressed = false
    }

    /// Whether the message is text and not binary.
    @inlinable public var isText: Bool { opcode == .text }
}

/// Where the bytes of an event are.
public enum Payload: Hashable, Sendable {
    /// At these offsets of the input, unmasked. The frame's header lies directly before.
    case inPlace(Range<Int>)
    /// In `FrameDecoder.assembled`, since they came in pieces.
    case assembled
}
