import Reactor
import WebSocketProtocol

/// Sending costs one copy of the payload, into the cork; large messages that are sent on as they came cost none.
extension WebSocket {
    /// Sends a text message.
    @discardableResult
    public func send(_ text: String) -> SendResult { unsafe text.withPayload { unsafe session.send($0, as: .text) } }

    /// Sends a binary message.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> SendResult { sendBinary(unsafe bytes.span.bytes) }

    /// Sends a binary message.
    @discardableResult
    public func send(_ bytes: Span<UInt8>) -> SendResult { sendBinary(unsafe bytes.bytes) }

    /// Sends a binary message.
    @discardableResult
    public func send(_ bytes: RawSpan) -> SendResult { sendBinary(bytes) }

    /// Sends a received message on, as the kind it came.
    @discardableResult
    public func send(_ message: borrowing Message) -> SendResult {
        let opcode = message.opcode
        return unsafe message.rawBytes.withUnsafeBytes { unsafe session.send($0, as: opcode) }
    }

    /// The same as `send` of a string.
    @discardableResult
    public func sendText(_ text: String) -> SendResult { send(text) }

    /// Sends bytes that are UTF-8 as text. They are not checked; a peer closes on text that is not.
    @discardableResult
    public func sendText(_ utf8: RawSpan) -> SendResult {
        unsafe utf8.withUnsafeBytes { unsafe session.send($0, as: .text) }
    }

    /// The same as `send` of bytes.
    @discardableResult
    public func sendBinary(_ bytes: RawSpan) -> SendResult {
        unsafe bytes.withUnsafeBytes { unsafe session.send($0, as: .binary) }
    }

    /// The same as `send` of bytes.
    @discardableResult
    public func sendBinary(_ bytes: [UInt8]) -> SendResult { send(bytes) }

    /// Sends a ping. More than 125 bytes of payload are a programming error.
    @discardableResult
    public func ping(_ payload: String = "") -> SendResult { unsafe payload.withPayload { unsafe control(.ping, $0) } }

    /// Sends a ping. More than 125 bytes of payload are a programming error.
    @discardableResult
    public func ping(_ payload: [UInt8]) -> SendResult { unsafe payload.withUnsafeBytes { unsafe control(.ping, $0) } }

    /// Sends a pong that nobody asked for. Pings are answered by themselves.
    @discardableResult
    public func pong(_ payload: String = "") -> SendResult { unsafe payload.withPayload { unsafe control(.pong, $0) } }

    /// Sends a pong that nobody asked for. More than 125 bytes of payload are a programming error.
    @discardableResult
    public func pong(_ payload: [UInt8]) -> SendResult { unsafe payload.withUnsafeBytes { unsafe control(.pong, $0) } }

    private func control(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> SendResult {
        precondition(payload.count <= 125, "a control frame carries at most 125 bytes (RFC 6455 §5.5)")
        return unsafe session.sendControl(opcode, payload)
    }
}
