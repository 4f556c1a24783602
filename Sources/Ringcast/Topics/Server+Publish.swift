public import PubSub
import Reactor
import WebSocketProtocol

extension Server {
    /// Sends text to everyone who is subscribed to a topic, on every loop.
    ///
    /// Order: all subscribers get one loop's messages in the order of the publishes, and those of different loops in an
    /// order of their own, unless the topic's is `TopicOrder.total`: then all get all messages in one order. Cost: one
    /// post to each loop with subscribers; with `.total` one more, to the topic's home loop, and its time.
    ///
    /// From one of the server's loops it takes the same way as that loop's other messages, so that their order is kept;
    /// from any other thread it is handed to the loops. The result counts the payload's bytes; `.dropped`: nobody is
    /// subscribed, and nothing was retained, or what waits for every loop with subscribers is at its bound (64 MiB
    /// or 65,536 messages from other threads, 64 MiB or a million from one loop to another); `.backpressure`: from a
    /// quarter of that on, or if some subscriber is behind. What a loop knows of its own subscribers, and what of
    /// others', `WebSocket.publish` says; another thread knows of all what their loops have last said. Nothing tells
    /// when they have caught up: see `SendResult.backpressure`. In a cluster (`ServerConfiguration.cluster`) it goes to
    /// other nodes, too, for a lock and a copy: it is not `.dropped` then where nobody is subscribed here, and
    /// `.backpressure` where the engine is behind or away; in topics of total order only from their home loop.
    /// - Parameters:
    ///   - text: the message.
    ///   - topic: who gets it: those who are subscribed to it.
    ///   - retain: whether to keep it as the topic's last message, which every new subscriber gets first, until another
    ///     one is retained or `clearRetained(of:)` is called. Costs a copy and a lock. Beyond the bounds of
    ///     `ServerLimits` nothing is kept.
    ///   - compress: whether to deflate it for those who have agreed on that; by default if it has 1 KiB or more. It is
    ///     deflated once for each class of windows, on this thread; threads that are no loops do so in turn.
    @discardableResult
    public func publish(_ text: String, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult {
        unsafe text.withPayload { unsafe publish($0, as: .text, to: topic, retain: retain, compress: compress) }
    }

    /// Sends a binary message to everyone who is subscribed to a topic.
    @discardableResult
    public func publish(_ bytes: [UInt8], to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult {
        publish(bytes.span, to: topic, retain: retain, compress: compress)
    }

    /// Sends a binary message to everyone who is subscribed to a topic.
    @discardableResult
    public func publish(_ bytes: Span<UInt8>, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        publishBinary(unsafe bytes.bytes, to: topic, retain: retain, compress: compress)
    }

    /// Sends a binary message to everyone who is subscribed to a topic.
    @discardableResult
    public func publish(_ bytes: RawSpan, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult {
        publishBinary(bytes, to: topic, retain: retain, compress: compress)
    }

    /// Sends a received message on, as the kind it came.
    @discardableResult
    public func publish(_ message: borrowing Message, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        let opcode = message.opcode
        return unsafe message.rawBytes.withUnsafeBytes {
            unsafe publish($0, as: opcode, to: topic, retain: retain, compress: compress)
        }
    }

    /// Sends bytes that are UTF-8 as text. They are not checked.
    @discardableResult
    public func publishText(_ utf8: RawSpan, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult
    {
        unsafe utf8.withUnsafeBytes { unsafe publish($0, as: .text, to: topic, retain: retain, compress: compress) }
    }

    /// Sends text to everyone who is subscribed to a topic: `publish` by the name that Bun gives it.
    @discardableResult
    public func publishText(_ text: String, to topic: Topic, retain: Bool = false, compress: Bool? = nil) -> SendResult
    {
        publish(text, to: topic, retain: retain, compress: compress)
    }

    /// Sends a binary message to everyone who is subscribed to a topic: `publish` by the name that Bun gives it.
    @discardableResult
    public func publishBinary(_ bytes: RawSpan, to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        unsafe bytes.withUnsafeBytes { unsafe publish($0, as: .binary, to: topic, retain: retain, compress: compress) }
    }

    /// Sends a binary message to everyone who is subscribed to a topic: `publish` by the name that Bun gives it.
    @discardableResult
    public func publishBinary(_ bytes: [UInt8], to topic: Topic, retain: Bool = false, compress: Bool? = nil)
        -> SendResult
    {
        publish(bytes, to: topic, retain: retain, compress: compress)
    }

    private func publish(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to topic: Topic, retain: Bool, compress: Bool?
    ) -> SendResult {
        if let loop = core.currentLoop {
            return unsafe loop.publish(payload, as: opcode, to: topic, except: nil, retain: retain, compress: compress)
        }
        return unsafe core.publish(payload, as: opcode, to: topic, except: nil, retain: retain, compress: compress)
    }
}

extension SocketCore {
    /// Publishes from a thread that is not one of the server's loops.
    func publish(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to topic: Topic, except publisher: Publisher?,
        retain: Bool, compress: Bool?
    ) -> SendResult {
        guard topic.isValid, group != nil else { return .dropped }
        counters[0].countForeignPublish()
        let known = retain ? nil : registry.find(topic)
        // Nobody uses a topic that is not known: the message matters only if it is kept, or crosses to other nodes.
        guard known != nil || retain || cluster != nil || configuration.keepsHistory(of: topic) else { return .dropped }
        let entry = known ?? registry.entry(for: topic)
        defer { if known == nil { registry.relinquish(entry) } }
        guard TopicOrder(word: entry.policy) == .perPublisher else {
            return unsafe publishInOrder(
                payload, as: opcode, to: entry, except: publisher, retain: retain, compress: compress)
        }
        let away = unsafe publishToNodes(payload, as: opcode, of: entry)
        let (stamp, isKept) =
            retain
            ? registry.retain([UInt8](unsafe OutgoingFrame(opcode, payload)), in: entry) : (entry.retainedCount, false)
        let result = unsafe publish(
            payload, as: opcode, to: entry, except: publisher, stamp: stamp, compress: compress)
        guard result == .dropped else { return away.blocked > 0 ? .backpressure : result }
        guard away.count > 0 else { return isKept ? .sent(bytes: payload.count) : .dropped }
        // Other nodes get it, and subscribers here may have lost it.
        return away.blocked > 0 || entry.subscriberCount > 0 ? .backpressure : .sent(bytes: payload.count)
    }

    /// Publishes to the loops with subscribers, in a topic without total order.
    func publish(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to entry: TopicEntry, except publisher: Publisher?,
        stamp: UInt64, compress: Bool?
    ) -> SendResult {
        guard let group, entry.subscriberCount > 0 else { return .dropped }
        let owners = counters.count
        let frame = unsafe encode(payload, as: opcode, for: entry, owners: owners, stamp: stamp, compress: compress)
        var (reached, blocked) = (0, 0)
        entry.forEachInterestedLoop { target in
            let excluded = publisher?.loop == target ? publisher : nil
            if group.post(foreign: LoopMessage.publish(frame, except: excluded).pack(), to: target) {
                reached += 1
                if entry.isBehind(target) || group.isPastWatermark(of: target) { blocked += 1 }
            } else {
                blocked += 1
                countForeignDrop(of: entry.subscriberCount(on: target), entry, on: target)
            }
        }
        if reached < owners { frame.release(by: owners - reached) }
        guard reached > 0 else { return .dropped }
        return blocked > 0 ? .backpressure : .sent(bytes: payload.count)
    }
}
