public import PubSub

extension WebSocket {
    /// Sends a message, as the kind it is.
    @discardableResult
    public func send(_ message: OwnedMessage, compress: Bool? = nil) -> SendResult {
        switch message {
        case .text(let text): send(text, compress: compress)
        case .binary(let bytes): send(bytes, compress: compress)
        }
    }

    /// Publishes a message to a topic's subscribers, except this socket, as the kind it is.
    @discardableResult
    public func publish(_ message: OwnedMessage, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        switch message {
        case .text(let text): publish(text, to: topic, retain: retain, compress: compress)
        case .binary(let bytes): publish(bytes, to: topic, retain: retain, compress: compress)
        }
    }
}

extension WebSocketRef {
    /// Sends a message, as the kind it is.
    @discardableResult
    public func send(_ message: OwnedMessage, compress: Bool? = nil) -> SendResult {
        switch message {
        case .text(let text): send(text, compress: compress)
        case .binary(let bytes): send(bytes, compress: compress)
        }
    }

    /// Publishes a message to a topic's subscribers, except this socket, as the kind it is.
    @discardableResult
    public func publish(_ message: OwnedMessage, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        switch message {
        case .text(let text): publish(text, to: topic, retain: retain, compress: compress)
        case .binary(let bytes): publish(bytes, to: topic, retain: retain, compress: compress)
        }
    }
}

extension Server {
    /// Sends a message to everyone who is subscribed to a topic, as the kind it is.
    @discardableResult
    public func publish(_ message: OwnedMessage, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        switch message {
        case .text(let text): publish(text, to: topic, retain: retain, compress: compress)
        case .binary(let bytes): publish(bytes, to: topic, retain: retain, compress: compress)
        }
    }
}
