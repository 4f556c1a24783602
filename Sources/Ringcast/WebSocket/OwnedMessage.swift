import WebSocketProtocol

/// A message that belongs to its holder: a copy that may be kept, and cross an `await`.
public enum OwnedMessage: Sendable, Hashable {
    /// Text.
    case text(String)
    /// Bytes, whatever they mean to the peers.
    case binary([UInt8])

    /// Copies a received message.
    public init(_ message: borrowing Message) { self = message.isText ? .text(message.string) : .binary(message.bytes) }

    /// Copies the payload of a frame.
    init(_ payload: UnsafeRawBufferPointer, as opcode: Opcode) {
        self =
            unsafe opcode == .text ? .text(String(decoding: payload, as: UTF8.self)) : .binary([UInt8](payload))
    }

    /// Payload bytes.
    public var byteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        }
    }

    /// Whether it is text.
    public var isText: Bool { if case .text = self { true } else { false } }

    /// The payload as a string. Binary payloads that are not UTF-8 come out repaired.
    public var string: String {
        switch self {
        case .text(let text): text
        case .binary(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The payload as an array.
    public var bytes: [UInt8] {
        switch self {
        case .text(let text): [UInt8](text.utf8)
        case .binary(let bytes): bytes
        }
    }
}
