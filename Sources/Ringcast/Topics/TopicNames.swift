import PubSub

/// Topics by their names: a `String` does wherever a `Topic` does, with what is said there. Literals are topics.
extension WebSocket {
    /// Subscribes to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func subscribe(to topic: String) -> Bool { subscribe(to: Topic(topic)) }

    /// Ends the subscription to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func unsubscribe(from topic: String) -> Bool { unsubscribe(from: Topic(topic)) }

    /// Whether the socket is subscribed to the topic of that name.
    @_disfavoredOverload
    public func isSubscribed(to topic: String) -> Bool { isSubscribed(to: Topic(topic)) }

    /// Publishes text to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ text: String, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(text, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a binary message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ bytes: [UInt8], to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(bytes, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a binary message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ bytes: RawSpan, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(bytes, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a received message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ message: borrowing Message, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(message, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ message: OwnedMessage, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(message, to: Topic(topic), retain: retain, compress: compress)
    }
}

extension WebSocketRef {
    /// Subscribes the socket to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func subscribe(to topic: String) async -> Bool { await subscribe(to: Topic(topic)) }

    /// Ends the socket's subscription to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func unsubscribe(from topic: String) async -> Bool { await unsubscribe(from: Topic(topic)) }

    /// Subscribes the socket to the topic of that name, soon.
    @_disfavoredOverload
    public func subscribe(to topic: String) { subscribe(to: Topic(topic)) }

    /// Ends the socket's subscription to the topic of that name, soon.
    @_disfavoredOverload
    public func unsubscribe(from topic: String) { unsubscribe(from: Topic(topic)) }

    /// Whether the socket is subscribed to the topic of that name.
    @_disfavoredOverload
    public func isSubscribed(to topic: String) async -> Bool { await isSubscribed(to: Topic(topic)) }

    /// Publishes text to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ text: String, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(text, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a binary message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ bytes: [UInt8], to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(bytes, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a binary message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ bytes: RawSpan, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(bytes, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a received message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ message: borrowing Message, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(message, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ message: OwnedMessage, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(message, to: Topic(topic), retain: retain, compress: compress)
    }
}

extension Server {
    /// Sockets that are subscribed to the topic of that name.
    @_disfavoredOverload
    public func subscriberCount(of topic: String) -> Int { subscriberCount(of: Topic(topic)) }

    /// References to the sockets that are subscribed to the topic of that name.
    @_disfavoredOverload
    public func sockets<ConnectionData>(
        in topic: String, of type: ConnectionData.Type = ConnectionData.self
    ) async -> [WebSocketRef<ConnectionData>] {
        await sockets(in: Topic(topic), of: type)
    }

    /// Decides the order of the messages of the topic of that name.
    @_disfavoredOverload
    public func setOrder(_ order: TopicOrder?, for topic: String) { setOrder(order, for: Topic(topic)) }

    /// The order of the messages of the topic of that name.
    @_disfavoredOverload
    public func order(of topic: String) -> TopicOrder { order(of: Topic(topic)) }

    /// Decides what becomes of messages of the topic of that name at subscribers that do not keep up.
    @_disfavoredOverload
    public func setSlowConsumerPolicy(_ policy: SlowConsumerPolicy?, for topic: String) {
        setSlowConsumerPolicy(policy, for: Topic(topic))
    }

    /// The policy that the messages of the topic of that name follow.
    @_disfavoredOverload
    public func slowConsumerPolicy(of topic: String) -> SlowConsumerPolicy { slowConsumerPolicy(of: Topic(topic)) }

    /// Forgets what the topic of that name retains.
    @_disfavoredOverload @discardableResult
    public func clearRetained(of topic: String) -> Bool { clearRetained(of: Topic(topic)) }

    /// Publishes text to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ text: String, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(text, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a binary message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ bytes: [UInt8], to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(bytes, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a binary message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ bytes: RawSpan, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(bytes, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a received message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ message: borrowing Message, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(message, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes a message to the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish(
        _ message: OwnedMessage, to topic: String, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(message, to: Topic(topic), retain: retain, compress: compress)
    }

    /// Publishes text to everyone but one socket in the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish<ConnectionData>(
        _ text: String, to topic: String, except socket: WebSocketRef<ConnectionData>, retain: Bool = false,
        compress: Bool? = nil
    ) -> SendResult {
        publish(text, to: Topic(topic), except: socket, retain: retain, compress: compress)
    }

    /// Publishes a binary message to everyone but one socket in the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish<ConnectionData>(
        _ bytes: [UInt8], to topic: String, except socket: WebSocketRef<ConnectionData>, retain: Bool = false,
        compress: Bool? = nil
    ) -> SendResult {
        publish(bytes, to: Topic(topic), except: socket, retain: retain, compress: compress)
    }

    /// Publishes a binary message to everyone but one socket in the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish<ConnectionData>(
        _ bytes: RawSpan, to topic: String, except socket: WebSocketRef<ConnectionData>, retain: Bool = false,
        compress: Bool? = nil
    ) -> SendResult {
        publish(bytes, to: Topic(topic), except: socket, retain: retain, compress: compress)
    }

    /// Publishes a received message to everyone but one socket in the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish<ConnectionData>(
        _ message: borrowing Message, to topic: String, except socket: WebSocketRef<ConnectionData>,
        retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        publish(message, to: Topic(topic), except: socket, retain: retain, compress: compress)
    }

    /// Publishes a message to everyone but one socket in the topic of that name.
    @_disfavoredOverload @discardableResult
    public func publish<ConnectionData>(
        _ message: OwnedMessage, to topic: String, except socket: WebSocketRef<ConnectionData>, retain: Bool = false,
        compress: Bool? = nil
    ) -> SendResult {
        publish(message, to: Topic(topic), except: socket, retain: retain, compress: compress)
    }
}
