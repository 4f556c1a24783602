import WebSocketProtocol

/// A message as it arrived: borrowed from the receive buffer, valid during the handler it is given to, on its loop.
///
/// Keeping one is a compile error. `string` and `bytes` copy its payload; to pass the message to `send` or `publish`
/// copies no more than has to be copied.
public enum Message: ~Escapable {
    /// Text; its UTF-8 has been validated (RFC 6455 §8.1).
    case text(UTF8Span)
    /// Bytes, whatever they mean to the peers.
    case binary(RawSpan)

    /// Payload bytes.
    public var byteCount: Int {
        switch self {
        case .text(let text): text.count
        case .binary(let bytes): bytes.byteCount
        }
    }

    /// Whether it came as text.
    public var isText: Bool { if case .text = self { true } else { false } }

    /// The payload as a string: a copy. Binary payloads that are not UTF-8 come out repaired.
    public var string: String {
        switch self {
        case .text(let text): String(copying: text)
        case .binary(let bytes): unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        }
    }

    /// The payload as an array: a copy.
    public var bytes: [UInt8] {
        // Safe: the buffer is copied before the closure returns.
        unsafe rawBytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// The payload as it lies in the receive buffer, whichever kind it is: no copy.
    public var rawBytes: RawSpan {
        @_lifetime(copy self)
        get {
            switch self {
            case .text(let text): unsafe text.span.bytes
            case .binary(let bytes): bytes
            }
        }
    }
}

extension Message {
    var opcode: Opcode { isText ? .text : .binary }
}
