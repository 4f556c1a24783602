public import PubSub
import WebSocketProtocol

/// Publishing to all of a topic's subscribers but one, whichever loops they are on: what `ws.publish` does for the
/// socket that speaks, for any thread and any socket of this server. Order, cost and result are those of
/// `Server.publish`; where nobody but that socket is subscribed, the result may be `.sent`. The reference may be of a
/// socket that is closed, or of another server: then everybody gets the message.
extension Server {
    /// Publishes text to everyone but one socket.
    @discardableResult
    public func publish<ConnectionData>(
        _ text: String, to topic: Topic, except socket: WebSocketRef<ConnectionData>, retain: Bool = false,
        compress: Bool? = nil
    ) -> SendResult {
        unsafe text.withPayload {
            unsafe publish($0, as: .text, to: topic, except: socket.lifeline, retain: retain, compress: compress)
        }
    }

    /// Publishes a binary message to everyone but one socket.
    @discardableResult
    public func publish<ConnectionData>(
        _ bytes: [UInt8], to topic: Topic, except socket: WebSocketRef<ConnectionData>, retain: Bool = false,
        compress: Bool? = nil
    ) -> SendResult {
        publish(unsafe bytes.span.bytes, to: topic, except: socket, retain: retain, compress: compress)
    }

    /// Publishes a binary message to everyone but one socket.
    @discardableResult
    public func publish<ConnectionData>(
        _ bytes: RawSpan, to topic: Topic, except socket: WebSocketRef<ConnectionData>, retain: Bool = false,
        compress: Bool? = nil
    ) -> SendResult {
        unsafe bytes.withUnsafeBytes {
            unsafe publish($0, as: .binary, to: topic, except: socket.lifeline, retain: retain, compress: compress)
        }
    }

    /// Publishes a received message to everyone but one socket, as the kind it came.
    @discardableResult
    public func publish<ConnectionData>(
        _ message: borrowing Message, to topic: Topic, except socket: WebSocketRef<ConnectionData>,
        retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        let opcode = message.opcode
        return unsafe message.rawBytes.withUnsafeBytes {
            unsafe publish($0, as: opcode, to: topic, except: socket.lifeline, retain: retain, compress: compress)
        }
    }

    /// Publishes a message to everyone but one socket, as the kind it is.
    @discardableResult
    public func publish<ConnectionData>(
        _ message: OwnedMessage, to topic: Topic, except socket: WebSocketRef<ConnectionData>, retain: Bool = false,
        compress: Bool? = nil
    ) -> SendResult {
        switch message {
        case .text(let text): publish(text, to: topic, except: socket, retain: retain, compress: compress)
        case .binary(let bytes): publish(bytes, to: topic, except: socket, retain: retain, compress: compress)
        }
    }

    private func publish(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to topic: Topic, except socket: SocketLifeline,
        retain: Bool, compress: Bool?
    ) -> SendResult {
        let excluded = socket.core === core ? socket.publisher : nil
        guard let loop = core.currentLoop else {
            return unsafe core.publish(
                payload, as: opcode, to: topic, except: excluded, retain: retain, compress: compress)
        }
        let here = excluded.flatMap { $0.loop == loop.eventLoop.index ? socket.session : nil }
        return unsafe loop.publish(
            payload, as: opcode, to: topic, except: here, elsewhere: excluded, retain: retain, compress: compress)
    }
}

extension SocketLifeline {
    /// The socket as a publisher that does not get its own message.
    fileprivate var publisher: Publisher { Publisher(loop: loop, slot: slot, serial: serial) }
}
