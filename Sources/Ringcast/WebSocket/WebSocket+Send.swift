import Reactor
import WebSocketProtocol

/// Sending costs one copy of the payload, into the cork; large messages that are sent on as they came cost none.
///
/// `compress` says whether a message is to be deflated, where that was agreed on; by default those of 1 KiB and more
/// are. A message that would not become shorter goes as it is, and so does an empty one. Deflating costs 20 to 60 ns a
/// byte. A result counts the bytes of the message, deflated or not.
extension WebSocket {
    /// Sends a text message.
    @discardableResult
    public func send(_ text: String, compress: Bool? = nil) -> SendResult {
        unsafe text.withPayload { unsafe session.send($0, as: .text, compress: compress) }
    }

    /// Sends a binary message.
    @discardableResult
    public func send(_ bytes: [UInt8], compress: Bool? = nil) -> SendResult {
        sendBinary(unsafe bytes.span.bytes, compress: compress)
    }

    /// Sends a binary message.
    @discardableResult
    public func send(_ bytes: Span<UInt8>, compress: Bool? = nil) -> SendResult {
        sendBinary(unsafe bytes.bytes, compress: compress)
    }

    /// Sends a binary message.
    @discardableResult
    public func send(_ bytes: RawSpan, compress: Bool? = nil) -> SendResult { sendBinary(bytes, compress: compress) }

    /// Sends a received message on, as the kind it came.
    @discardableResult
    public func send(_ message: borrowing Message, compress: Bool? = nil) -> SendResult {
        let opcode = message.opcode
        return unsafe message.rawBytes.withUnsafeBytes { unsafe session.send($0, as: opcode, compress: compress) }
    }

    /// `send` of a string by the name that Bun gives it.
    @discardableResult
    public func sendText(_ text: String, compress: Bool? = nil) -> SendResult { send(text, compress: compress) }

    /// Sends bytes that are UTF-8 as text. They are not checked; a peer closes on text that is not.
    @discardableResult
    public func sendText(_ utf8: RawSpan, compress: Bool? = nil) -> SendResult {
        unsafe utf8.withUnsafeBytes { unsafe session.send($0, as: .text, compress: compress) }
    }

    /// `send` of bytes by the name that Bun gives it.
    @discardableResult
    public func sendBinary(_ bytes: RawSpan, compress: Bool? = nil) -> SendResult {
        unsafe bytes.withUnsafeBytes { unsafe session.send($0, as: .binary, compress: compress) }
    }

    /// `send` of bytes by the name that Bun gives it.
    @discardableResult
    public func sendBinary(_ bytes: [UInt8], compress: Bool? = nil) -> SendResult { send(bytes, compress: compress) }

    /// Sends a ping. A payload is cut to 125 bytes (RFC 6455 §5.5), which is logged.
    @discardableResult
    public func ping(_ payload: String = "") -> SendResult {
        unsafe payload.withPayload { unsafe session.sendCut(.ping, $0) }
    }

    /// Sends a ping. A payload is cut to 125 bytes (RFC 6455 §5.5), which is logged.
    @discardableResult
    public func ping(_ payload: [UInt8]) -> SendResult {
        unsafe payload.withUnsafeBytes { unsafe session.sendCut(.ping, $0) }
    }

    /// Sends a pong that nobody asked for; pings are answered without it. A payload is cut to 125 bytes, which is
    /// logged.
    @discardableResult
    public func pong(_ payload: String = "") -> SendResult {
        unsafe payload.withPayload { unsafe session.sendCut(.pong, $0) }
    }

    /// Sends a pong that nobody asked for; pings are answered without it. A payload is cut to 125 bytes, which is
    /// logged.
    @discardableResult
    public func pong(_ payload: [UInt8]) -> SendResult {
        unsafe payload.withUnsafeBytes { unsafe session.sendCut(.pong, $0) }
    }
}
