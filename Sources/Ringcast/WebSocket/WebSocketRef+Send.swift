import PubSub
import WebSocketProtocol

/// Sending from any thread; `compress` means what it means to `WebSocket.send`. From another thread the payload is
/// copied, and takes the lane to the socket's loop.
extension WebSocketRef {
    /// Sends a text message.
    @discardableResult
    public func send(_ text: String, compress: Bool? = nil) -> SendResult {
        unsafe text.withPayload { unsafe lifeline.send($0, as: .text, compress: compress) }
    }

    /// Sends a binary message.
    @discardableResult
    public func send(_ bytes: [UInt8], compress: Bool? = nil) -> SendResult {
        sendBinary(unsafe bytes.span.bytes, compress: compress)
    }

    /// Sends a binary message.
    @discardableResult
    public func send(_ bytes: Span<UInt8>, compress: Bool? = nil) -> SendResult {
        sendBinary(unsafe bytes.bytes, compress: compress)
    }

    /// Sends a binary message.
    @discardableResult
    public func send(_ bytes: RawSpan, compress: Bool? = nil) -> SendResult { sendBinary(bytes, compress: compress) }

    /// Sends a received message on, as the kind it came.
    @discardableResult
    public func send(_ message: borrowing Message, compress: Bool? = nil) -> SendResult {
        let opcode = message.opcode
        return unsafe message.rawBytes.withUnsafeBytes { unsafe lifeline.send($0, as: opcode, compress: compress) }
    }

    /// `send` of a string by the name that Bun gives it.
    @discardableResult
    public func sendText(_ text: String, compress: Bool? = nil) -> SendResult { send(text, compress: compress) }

    /// Sends bytes that are UTF-8 as text. They are not checked.
    @discardableResult
    public func sendText(_ utf8: RawSpan, compress: Bool? = nil) -> SendResult {
        unsafe utf8.withUnsafeBytes { unsafe lifeline.send($0, as: .text, compress: compress) }
    }

    /// `send` of bytes by the name that Bun gives it.
    @discardableResult
    public func sendBinary(_ bytes: RawSpan, compress: Bool? = nil) -> SendResult {
        unsafe bytes.withUnsafeBytes { unsafe lifeline.send($0, as: .binary, compress: compress) }
    }

    /// `send` of bytes by the name that Bun gives it.
    @discardableResult
    public func sendBinary(_ bytes: [UInt8], compress: Bool? = nil) -> SendResult { send(bytes, compress: compress) }
}

extension SocketLifeline {
    /// Sends directly on the socket's loop; from elsewhere the frame is encoded here, and takes the lane to that loop.
    func send(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, compress: Bool?) -> SendResult {
        let state = current
        guard state != .closed else { return .dropped }
        if let here = core.currentLoop, here.eventLoop.index == loop {
            guard let session = here.sessions.find(slot: slot, serial: serial) else { return .dropped }
            return unsafe session.send(payload, as: opcode, compress: compress)
        }
        let frame = unsafe SharedFrame.encode(payload, as: opcode, owners: 1)
        if core.currentLoop?.isReportingDrop ?? false { frame.makeQuiet() }
        guard core.post(.send(frame, slot: slot, serial: serial, compress: compress), to: loop) else {
            core.counters[loop].countForeignDrop()
            return .dropped
        }
        return state == .blocked || core.isPastWatermark(of: loop) ? .backpressure : .sent(bytes: payload.count)
    }

    /// Publishes through the socket's loop, which knows whom to leave out.
    func publish(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to topic: Topic, retain: Bool, compress: Bool?
    ) -> SendResult {
        guard topic.isValid, current != .closed else { return .dropped }
        if let here = core.currentLoop, here.eventLoop.index == loop {
            guard let session = here.sessions.find(slot: slot, serial: serial) else { return .dropped }
            return unsafe session.publish(payload, as: opcode, to: topic, retain: retain, compress: compress)
        }
        let copy = unsafe [UInt8](payload)
        let count = copy.count
        let (slot, serial) = (slot, serial)
        let isQuiet = core.currentLoop?.isReportingDrop ?? false
        let job = LoopJob(byteCount: count) { loop in
            guard let loop, let session = loop.sessions.find(slot: slot, serial: serial) else { return }
            func publish() {
                _ = unsafe copy.withUnsafeBytes {
                    unsafe session.publish($0, as: opcode, to: topic, retain: retain, compress: compress)
                }
            }
            if isQuiet { loop.quietly(publish) } else { publish() }
        }
        guard core.post(.job(job), to: loop) else {
            core.counters[loop].countForeignDrop()
            return .dropped
        }
        return core.isPastWatermark(of: loop) ? .backpressure : .sent(bytes: count)
    }
}
