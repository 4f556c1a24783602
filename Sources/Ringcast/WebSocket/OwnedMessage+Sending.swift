public import PubSub

extension WebSocketRef {
    /// Sends a message, as the kind it is.
    @discardableResult
    public func send(_ message: OwnedMessage) -> SendResult {
        switch message {
        case .text(let text): send(text)
        case .binary(let bytes): send(bytes)
        }
    }

    /// Publishes a message to a topic's subscribers, except this socket, as the kind it is.
    @discardableResult
    public func publish(_ message: OwnedMessage, to topic: Topic) -> SendResult {
        switch message {
        case .text(let text): publish(text, to: topic)
        case .binary(let bytes): publish(bytes, to: topic)
        }
    }
}

extension WebSocket {
    /// Sends a message, as the kind it is.
    @discardableResult
    public func send(_ message: OwnedMessage) -> SendResult {
        switch message {
        case .text(let text): send(text)
        case .binary(let bytes): send(bytes)
        }
    }
}

extension Server {
    /// Sends a message to everyone who is subscribed to a topic, as the kind it is.
    @discardableResult
    public func publish(_ message: OwnedMessage, to topic: Topic) -> SendResult {
        switch message {
        case .text(let text): publish(text, to: topic)
        case .binary(let bytes): publish(bytes, to: topic)
        }
    }
}
