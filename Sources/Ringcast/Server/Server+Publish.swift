public import PubSub
import Reactor
import WebSocketProtocol

extension Server {
    /// Sends text to everyone who is subscribed to a topic, on every loop.
    ///
    /// From one of the server's loops it takes the same way as that loop's other messages, so that their order is kept;
    /// from any other thread it is handed to the loops. The result counts the payload's bytes; `.dropped`: nobody is
    /// subscribed.
    @discardableResult
    public func publish(_ text: String, to topic: Topic) -> SendResult {
        unsafe text.withPayload { unsafe publish($0, as: .text, to: topic) }
    }

    /// Sends a binary message to everyone who is subscribed to a topic.
    @discardableResult
    public func publish(_ bytes: [UInt8], to topic: Topic) -> SendResult { publish(bytes.span, to: topic) }

    /// Sends a binary message to everyone who is subscribed to a topic.
    @discardableResult
    public func publish(_ bytes: Span<UInt8>, to topic: Topic) -> SendResult {
        publishBinary(unsafe bytes.bytes, to: topic)
    }

    /// Sends a binary message to everyone who is subscribed to a topic.
    @discardableResult
    public func publish(_ bytes: RawSpan, to topic: Topic) -> SendResult { publishBinary(bytes, to: topic) }

    /// Sends a received message on, as the kind it came.
    @discardableResult
    public func publish(_ message: borrowing Message, to topic: Topic) -> SendResult {
        let opcode = message.opcode
        return unsafe message.rawBytes.withUnsafeBytes { unsafe publish($0, as: opcode, to: topic) }
    }

    /// Sends bytes that are UTF-8 as text. They are not checked.
    @discardableResult
    public func publishText(_ utf8: RawSpan, to topic: Topic) -> SendResult {
        unsafe utf8.withUnsafeBytes { unsafe publish($0, as: .text, to: topic) }
    }

    /// The same as `publish` of a string.
    @discardableResult
    public func publishText(_ text: String, to topic: Topic) -> SendResult { publish(text, to: topic) }

    /// The same as `publish` of bytes.
    @discardableResult
    public func publishBinary(_ bytes: RawSpan, to topic: Topic) -> SendResult {
        unsafe bytes.withUnsafeBytes { unsafe publish($0, as: .binary, to: topic) }
    }

    /// The same as `publish` of bytes.
    @discardableResult
    public func publishBinary(_ bytes: [UInt8], to topic: Topic) -> SendResult { publish(bytes, to: topic) }

    private func publish(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, to topic: Topic) -> SendResult {
        if let loop = core.currentLoop { return unsafe loop.publish(payload, as: opcode, to: topic, except: nil) }
        return unsafe core.publish(payload, as: opcode, to: topic)
    }
}

extension ServerCore {
    /// Publishes from a thread that is not one of the server's loops.
    func publish(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, to topic: Topic) -> SendResult {
        guard topic.isValid, let group, let entry = registry.find(topic) else { return .dropped }
        guard entry.subscriberCount > 0 else { return .dropped }
        let owners = counters.count
        let frame = unsafe SharedFrame.encode(payload, as: opcode, owners: owners, topic: entry)
        var reached = 0
        entry.forEachInterestedLoop { target in
            if group.post(foreign: LoopMessage.publish(frame).pack(), to: target) { reached += 1 }
        }
        if reached < owners { frame.release(by: owners - reached) }
        return reached > 0 ? .sent(bytes: payload.count) : .dropped
    }
}

extension String {
    /// Lends the UTF-8 of the string; a copy only where it does not lie in one piece.
    func withPayload<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var copy = self
        return copy.withUTF8 { unsafe body(UnsafeRawBufferPointer($0)) }
    }
}
