public import Ringcast

/// Values as text messages. What a value costs to encode comes on top of the message; whether it is compressed, and
/// what becomes of it, is as with text.
extension WebSocket {
    /// Sends a value.
    /// - Throws: what the coding throws, an `EncodingError` by default; nothing is sent then.
    @discardableResult
    public func send(
        json value: some Encodable, with coding: some JSONCoding = .foundation, compress: Bool? = nil
    ) throws -> SendResult {
        let bytes = try coding.encode(value)
        return sendText(unsafe bytes.span.bytes, compress: compress)
    }

    /// Publishes a value to a topic's subscribers, except this socket. It is encoded once.
    /// - Throws: what the coding throws, an `EncodingError` by default; nothing is published then.
    @discardableResult
    public func publish(
        json value: some Encodable, to topic: Topic, retain: Bool = false, with coding: some JSONCoding = .foundation,
        compress: Bool? = nil
    ) throws -> SendResult {
        let bytes = try coding.encode(value)
        return publishText(unsafe bytes.span.bytes, to: topic, retain: retain, compress: compress)
    }
}

/// From any thread, as with text.
extension WebSocketRef {
    /// Sends a value.
    /// - Throws: what the coding throws, an `EncodingError` by default; nothing is sent then.
    @discardableResult
    public func send(
        json value: some Encodable, with coding: some JSONCoding = .foundation, compress: Bool? = nil
    ) throws -> SendResult {
        let bytes = try coding.encode(value)
        return sendText(unsafe bytes.span.bytes, compress: compress)
    }

    /// Publishes a value to a topic's subscribers, except this socket. It is encoded once.
    /// - Throws: what the coding throws, an `EncodingError` by default; nothing is published then.
    @discardableResult
    public func publish(
        json value: some Encodable, to topic: Topic, retain: Bool = false, with coding: some JSONCoding = .foundation,
        compress: Bool? = nil
    ) throws -> SendResult {
        let bytes = try coding.encode(value)
        return publishText(unsafe bytes.span.bytes, to: topic, retain: retain, compress: compress)
    }
}

extension Server {
    /// Publishes a value to everyone who is subscribed to a topic. It is encoded once. Any thread, as with text.
    /// - Throws: what the coding throws, an `EncodingError` by default; nothing is published then.
    @discardableResult
    public func publish(
        json value: some Encodable, to topic: Topic, retain: Bool = false, with coding: some JSONCoding = .foundation,
        compress: Bool? = nil
    ) throws -> SendResult {
        let bytes = try coding.encode(value)
        return publishText(unsafe bytes.span.bytes, to: topic, retain: retain, compress: compress)
    }
}

extension WebSocketClient {
    /// Sends a value, as `send` does a text. `OwnedMessage.decode` reads what comes.
    /// - Throws: what the coding throws, an `EncodingError` by default; what `send` throws.
    public func send(
        json value: some Encodable, with coding: some JSONCoding = .foundation, compress: Bool? = nil
    ) async throws {
        let bytes = try coding.encode(value)
        try await send(String(decoding: bytes, as: UTF8.self), compress: compress)
    }
}
