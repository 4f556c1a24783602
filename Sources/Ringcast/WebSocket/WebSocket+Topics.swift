public import PubSub
import Reactor
import WebSocketProtocol

extension WebSocket {
    /// Subscribes to a topic, for as long as the socket is open. Costs a table lookup. If the topic retains a message,
    /// the socket gets it before this returns, and nothing of the topic that is older afterwards.
    /// - Returns: whether that changed anything. It does not if the socket is subscribed already, if the topic's name
    ///   is empty or longer than 1 KiB, or if the socket is at its bound on topics or closed.
    @discardableResult
    public func subscribe(to topic: Topic) -> Bool { session.subscribeIfOpen(to: topic) != .unchanged }

    /// Ends the subscription to a topic. Costs what `subscribe` costs.
    /// - Returns: whether there was one.
    @discardableResult
    public func unsubscribe(from topic: Topic) -> Bool { session.unsubscribe(from: topic) }

    /// Whether the socket is subscribed to a topic. Costs what `subscribe` costs.
    public func isSubscribed(to topic: Topic) -> Bool {
        session.loop.table.isSubscribed(session.memberships, to: topic)
    }

    /// The topics that this socket is subscribed to, in the order of subscription. Costs an array.
    public var subscriptions: [Topic] { session.loop.table.topics(of: session.memberships) }

    /// Sends text to everyone subscribed to a topic, on every loop, except this socket (unless its options say
    /// `publishToSelf`), which need not be subscribed.
    ///
    /// Order: all subscribers get one loop's messages in the order of the publishes, and those of different loops in an
    /// order of their own, unless the topic's is `TopicOrder.total`: then all get all messages in one order. With
    /// `.total` this socket gets its own message, if at all, in its place; and what is sent to it directly afterwards,
    /// or its Close, may arrive before.
    ///
    /// Cost: one post to each loop with subscribers; with `.total` one more, to the topic's home loop, and its time.
    ///
    /// The result is true at the time of the call. Of this loop's subscribers it knows whether one has room, and how
    /// many are behind: `.dropped` if there is none with room and no other loop has subscribers; `.backpressure` if
    /// some do not keep up, or what waits for another loop is past its watermark. Of another loop's it knows what that
    /// loop has last said, which changes a turn later: where all subscribers there are at their limit, or have just
    /// closed, a message is `.sent` or `.backpressure` and dropped there, which `ServerStatistics` counts. A burst
    /// within one turn may be up to 64 KiB ahead of what is known. `drain` is about what is sent to this socket: none
    /// follows a publish; see `SendResult.backpressure`.
    /// - Parameters:
    ///   - text: the message.
    ///   - topic: who gets it: those who are subscribed to it.
    ///   - retain: whether to keep it as the topic's last message, which every new subscriber gets first, until another
    ///     one is retained or `Server.clearRetained(of:)` is called. Costs a copy and a lock. Beyond the bounds of
    ///     `ServerLimits` nothing is kept.
    ///   - compress: whether to deflate it for those who have agreed on that; by default if it has 1 KiB or more. It is
    ///     deflated once for each class of windows, for any number of subscribers. What is retained is kept as it is.
    @discardableResult
    public func publish(_ text: String, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult {
        unsafe text.withPayload { unsafe session.publish($0, as: .text, to: topic, retain: retain, compress: compress) }
    }

    /// Sends a binary message to everyone subscribed to a topic.
    @discardableResult
    public func publish(_ bytes: [UInt8], to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult {
        publishBinary(unsafe bytes.span.bytes, to: topic, retain: retain, compress: compress)
    }

    /// Sends a binary message to everyone subscribed to a topic.
    @discardableResult
    public func publish(_ bytes: Span<UInt8>, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        publishBinary(unsafe bytes.bytes, to: topic, retain: retain, compress: compress)
    }

    /// Sends a binary message to everyone subscribed to a topic.
    @discardableResult
    public func publish(_ bytes: RawSpan, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult {
        publishBinary(bytes, to: topic, retain: retain, compress: compress)
    }

    /// Sends a received message on to everyone subscribed to a topic, as the kind it came.
    @discardableResult
    public func publish(_ message: borrowing Message, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        let opcode = message.opcode
        return unsafe message.rawBytes.withUnsafeBytes {
            unsafe session.publish($0, as: opcode, to: topic, retain: retain, compress: compress)
        }
    }

    /// `publish` of a string by the name that Bun gives it.
    @discardableResult
    public func publishText(_ text: String, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult
    {
        publish(text, to: topic, retain: retain, compress: compress)
    }

    /// Sends bytes that are UTF-8 as text. They are not checked; a peer closes on text that is not.
    @discardableResult
    public func publishText(_ utf8: RawSpan, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult
    {
        unsafe utf8.withUnsafeBytes {
            unsafe session.publish($0, as: .text, to: topic, retain: retain, compress: compress)
        }
    }

    /// `publish` of bytes by the name that Bun gives it.
    @discardableResult
    public func publishBinary(_ bytes: RawSpan, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        unsafe bytes.withUnsafeBytes {
            unsafe session.publish($0, as: .binary, to: topic, retain: retain, compress: compress)
        }
    }

    /// `publish` of bytes by the name that Bun gives it.
    @discardableResult
    public func publishBinary(_ bytes: [UInt8], to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        publish(bytes, to: topic, retain: retain, compress: compress)
    }
}
