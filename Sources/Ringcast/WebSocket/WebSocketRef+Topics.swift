public import PubSub

/// Subscribing on behalf of a socket. What is called with `await` returns when the socket's loop has done it: what is
/// published from then on, by whomever, reaches the socket. Without, it is handed to that loop, in order, and nobody
/// waits: for code that cannot.
extension WebSocketRef {
    /// Subscribes the socket to a topic, as `WebSocket.subscribe` does.
    /// - Returns: whether that changed anything; false once the socket is closed.
    @discardableResult
    public func subscribe(to topic: Topic) async -> Bool {
        await lifeline.ask { $0.subscribeIfOpen(to: topic) != .unchanged } ?? false
    }

    /// Ends the socket's subscription to a topic.
    /// - Returns: whether there was one; false once the socket is closed.
    @discardableResult
    public func unsubscribe(from topic: Topic) async -> Bool {
        await lifeline.ask { $0.unsubscribe(from: topic) } ?? false
    }

    /// Subscribes the socket to a topic, soon. What the caller publishes through this reference behind it comes behind
    /// it; what it publishes through the server may come before, and not reach the socket.
    public func subscribe(to topic: Topic) { lifeline.run { $0.subscribeIfOpen(to: topic) } }

    /// Ends the socket's subscription to a topic, soon.
    public func unsubscribe(from topic: Topic) { lifeline.run { _ = $0.unsubscribe(from: topic) } }

    /// Whether the socket is subscribed to a topic; false once it is closed.
    public func isSubscribed(to topic: Topic) async -> Bool {
        await lifeline.ask { $0.loop.table.isSubscribed($0.memberships, to: topic) } ?? false
    }

    /// The topics that the socket is subscribed to, in the order of subscription; none once it is closed.
    public var subscriptions: [Topic] {
        get async { await lifeline.ask { $0.loop.table.topics(of: $0.memberships) } ?? [] }
    }
}

/// Publishing to a topic's subscribers, except this socket, through the socket's loop: a message has its place in the
/// order of what is published there, and with `TopicOrder.total` among all messages of the topic. See
/// `WebSocket.publish`.
extension WebSocketRef {
    /// Publishes text.
    @discardableResult
    public func publish(_ text: String, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult {
        unsafe text.withPayload {
            unsafe lifeline.publish($0, as: .text, to: topic, retain: retain, compress: compress)
        }
    }

    /// Publishes a binary message.
    @discardableResult
    public func publish(_ bytes: [UInt8], to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult {
        publish(unsafe bytes.span.bytes, to: topic, retain: retain, compress: compress)
    }

    /// Publishes a binary message.
    @discardableResult
    public func publish(_ bytes: Span<UInt8>, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        publish(unsafe bytes.bytes, to: topic, retain: retain, compress: compress)
    }

    /// Publishes a binary message.
    @discardableResult
    public func publish(_ bytes: RawSpan, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult {
        unsafe bytes.withUnsafeBytes {
            unsafe lifeline.publish($0, as: .binary, to: topic, retain: retain, compress: compress)
        }
    }

    /// Publishes a received message, as the kind it came.
    @discardableResult
    public func publish(_ message: borrowing Message, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        let opcode = message.opcode
        return unsafe message.rawBytes.withUnsafeBytes {
            unsafe lifeline.publish($0, as: opcode, to: topic, retain: retain, compress: compress)
        }
    }

    /// Publishes bytes that are UTF-8 as text. They are not checked; a peer closes on text that is not.
    @discardableResult
    public func publishText(_ utf8: RawSpan, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult
    {
        unsafe utf8.withUnsafeBytes {
            unsafe lifeline.publish($0, as: .text, to: topic, retain: retain, compress: compress)
        }
    }

    /// Publishes text: `publish` by the name that Bun gives it.
    @discardableResult
    public func publishText(_ text: String, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult
    {
        publish(text, to: topic, retain: retain, compress: compress)
    }

    /// Publishes a binary message: `publish` by the name that Bun gives it.
    @discardableResult
    public func publishBinary(_ bytes: RawSpan, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        publish(bytes, to: topic, retain: retain, compress: compress)
    }

    /// Publishes a binary message: `publish` by the name that Bun gives it.
    @discardableResult
    public func publishBinary(_ bytes: [UInt8], to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        publish(bytes, to: topic, retain: retain, compress: compress)
    }
}
