public import PubSub

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
    public func publish(_ message: OwnedMessage, to topic: Topic, compress: Bool? = nil) -> SendResult {
        switch message {
        case .text(let text): publish(text, to: topic, compress: compress)
        case .binary(let bytes): publish(bytes, to: topic, compress: compress)
        }
    }
}

extension WebSocket {
    /// Sends a message, as the kind it is.
    @discardableResult
    public func send(_ message: OwnedMessage, compress: Bool? = nil) -> SendResult {
        switch message {
        case .text(let text): send(text, compress: compress)
        case .binary(let bytes): send(bytes, compress: compress)
        }
    }
}

extension Server {
    /// Sends a message to everyone who is subscribed to a topic, as the kind it is.
    @discardableResult
    public func publish(_ message: OwnedMessage, to topic: Topic, compress: Bool? = nil) -> SendResult {
        switch message {
        case .text(let text): publish(text, to: topic, compress: compress)
        case .binary(let bytes): publish(bytes, to: topic, compress: compress)
        }
    }
}
