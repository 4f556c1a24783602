/// What a frame carries (RFC 6455 §5.2). The raw value is the low half of a frame's first byte; the values left out are
/// reserved, and a frame with one of them is a protocol violation.
public enum Opcode: UInt8, Hashable, Sendable {
    /// A further fragment of the message that has begun.
    case continuation = 0x0
    /// A text message, or its first fragment.
    case text = 0x1
    /// A binary message, or its first fragment.
    case binary = 0x2
    /// The closing handshake.
    case close = 0x8
    /// A question to be answered by a pong.
    case ping = 0x9
    /// The answer to a ping, or an unasked sign of life.
    case pong = 0xA

    /// Close, ping and pong: never fragmented, at most 125 bytes, allowed between the fragments of a message (§5.5).
    @inlinable public var isControl: Bool { rawValue & 0x8 != 0 }
}

/// The side of the connection that receives the frames. It decides who has to mask (RFC 6455 §5.1).
public enum Role: Hashable, Sendable {
    /// Frames come from a client and must be masked.
    case server
    /// Frames come from a server and must not be masked.
    case client
}

extension Role {
    /// The MASK bit that every frame received in this role has to carry.
    @inline(__always) var maskBit: UInt8 { self == .server ? 0x80 : 0 }
    /// Bytes of masking key in the header of every frame received in this role.
    @inline(__always) var maskingKeyLength: Int { self == .server ? 4 : 0 }
}
