import Reactor
import WebSocketProtocol

extension Session {
    // What one connection may use of a turn, so that a flood on it does not starve the others of its loop.
    static let framesPerTurn = 1_024
    static let bytesPerTurn = 256 << 10
    /// Deliveries to subscribers on this loop: one small frame that is published can be the work of thousands.
    static let deliveriesPerTurn: UInt64 = 16_384

    /// Handles the frames in `bytes` from `start` on, and returns how far it came.
    func receive(_ bytes: inout MutableRawSpan, from start: Int, on loop: SocketLoop) -> Int {
        noteInbound(at: connection.now)
        var position = start
        var frames = 0
        let deliveryBound = unsafe loop.counters.pointee.fanOutWork &+ Self.deliveriesPerTurn
        let inflatedBound = unsafe loop.counters.pointee.inflatedBytes &+ UInt64(Self.bytesPerTurn)
        while let event = nextEvent(in: &bytes, at: &position) {
            guard handle(event, in: &bytes, on: loop) else { return bytes.byteCount }
            // Held by what was just handled: the reactor keeps the rest, and brings it again.
            if isHeld { return position }
            frames += 1
            if unsafe frames == Self.framesPerTurn || position - start >= Self.bytesPerTurn
                || loop.counters.pointee.fanOutWork >= deliveryBound
                || loop.counters.pointee.inflatedBytes >= inflatedBound
            {
                if position < bytes.byteCount { connection.continueNextTurn() }
                return position
            }
        }
        chooseBuffers(received: bytes.byteCount - start)
        return position
    }

    @inline(__always)
    private func nextEvent(in bytes: inout MutableRawSpan, at position: inout Int) -> FrameEvent? {
        let kind = unsafe state.pointee.kind
        let limits = unsafe kind._withUnsafeGuaranteedRef { $0.limits }
        return unsafe state.pointee.decoder.next(in: &bytes, at: &position, limits: limits)
    }

    /// Handles one event.
    /// - Returns: false if nothing more of this connection is wanted; then the session may be gone.
    @inline(__always)
    private func handle(_ event: FrameEvent, in bytes: inout MutableRawSpan, on loop: SocketLoop) -> Bool {
        switch event {
        case .message(let kind, let payload):
            guard isOpen else { return true }
            unsafe loop.counters.pointee.messagesIn += 1
            if kind.isCompressed { return receiveDeflated(kind, payload, in: bytes.bytes, on: loop) }
            if traits.contains(.metered) {
                switch admitMessage(byteCount(of: payload), now: loop.now) {
                case .handed: break
                case .dropped: return leaveOut(payload)
                case .ended: return false
                }
            }
            receiveMessage(kind, payload, in: &bytes, on: loop)
        case .ping(let payload):
            guard admitControlFrame(now: loop.now) else { return false }
            withBytes(of: payload, in: bytes.bytes) { receivePing($0) }
        case .pong(let payload):
            guard admitControlFrame(now: loop.now) else { return false }
            withBytes(of: payload, in: bytes.bytes) { receivePong($0) }
        case .close(let code, let payload):
            var reason = ""
            // Safe: copied before the closures return.
            withBytes(of: payload, in: bytes.bytes) {
                reason = unsafe $0.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
            }
            peerEnded(.close(code, reason: reason))
            return false
        case .violation(let violation):
            fail(violation.closeCode, reason: violation.reason)
            return false
        }
        return phase < .terminated
    }

    /// Lets go of a message that no handler gets.
    @inline(never)
    private func leaveOut(_ payload: Payload) -> Bool {
        if payload == .assembled { unsafe state.pointee.decoder.releaseAssembled() }
        return true
    }

    @inline(__always)
    private func receiveMessage(
        _ kind: MessageKind, _ payload: Payload, in bytes: inout MutableRawSpan, on loop: SocketLoop
    ) {
        switch payload {
        case .inPlace(let range):
            let body = bytes.bytes.extracting(range)
            guard range.count >= Self.borrowThreshold else { return hand(body, kind) }
            unsafe loop.lendable = body.withUnsafeBytes(\.baseAddress)
            hand(body, kind)
            unsafe loop.lendable = nil
        case .assembled:
            // No handler ends the session, and with it the decoder: `terminate` waits for the end of the turn.
            withAssembled { hand($0, kind) }
            unsafe state.pointee.decoder.releaseAssembled()
        }
    }

    /// Calls the message handler. Text has been validated (RFC 6455 §8.1).
    @inline(__always)
    func hand(_ body: RawSpan, _ kind: MessageKind) {
        let message: Message
        if kind.opcode == .text {
            // Safe: bytes are bound to no other type, and it has been checked that they are UTF-8.
            message = unsafe .text(UTF8Span(unchecked: Span<UInt8>(_bytes: body)))
        } else {
            message = .binary(body)
        }
        do { try withHandlers { try $0.message(self, message) } } catch { handlerFailed(error) }
    }

    private func receivePing(_ payload: RawSpan) {
        guard isOpen else { return }
        answerPing(payload)
        do { try withHandlers { try $0.ping(self, payload) } } catch { handlerFailed(error) }
    }

    private func receivePong(_ payload: RawSpan) {
        guard isOpen else { return }
        // A liveness ping is empty, and so is its pong.
        if payload.byteCount == 0 { notePong() }
        do { try withHandlers { try $0.pong(self, payload) } } catch { handlerFailed(error) }
    }

    func withBytes(of payload: Payload, in bytes: RawSpan, _ body: (RawSpan) -> Void) {
        switch payload {
        case .inPlace(let range): body(bytes.extracting(range))
        case .assembled: withAssembled(body)
        }
    }

    /// Lends the message that the decoder has put together.
    private func withAssembled(_ body: (RawSpan) -> Void) {
        func lend(_ decoder: borrowing FrameDecoder) { body(decoder.assembled) }
        unsafe lend(state.pointee.decoder)
    }

    /// Moves to large receive buffers when a large frame arrives, and back after many receives that fit small ones.
    private func chooseBuffers(received count: Int) {
        if unsafe state.pointee.decoder.expectedByteCount > Self.largeRemainder {
            if unsafe state.pointee.largeBufferTurns == 0 { connection.preferLargeBuffers(true) }
            unsafe state.pointee.largeBufferTurns = 64
        } else if unsafe state.pointee.largeBufferTurns > 0, count <= Self.smallReceive {
            unsafe state.pointee.largeBufferTurns -= 1
            if unsafe state.pointee.largeBufferTurns == 0 { connection.preferLargeBuffers(false) }
        }
    }

    /// What a frame may still lack without being worth a change: two small buffers.
    private static let largeRemainder = 8 << 10
    private static let smallReceive = 4 << 10
}

extension Session {
    /// Borrows the handlers without counting references.
    @inline(__always)
    func withHandlers(_ body: (ErasedHandlers) throws -> Void) rethrows {
        let kind = unsafe state.pointee.kind
        let handlers = unsafe kind._withUnsafeGuaranteedRef { unsafe $0.borrowedHandlers }
        try unsafe handlers._withUnsafeGuaranteedRef(body)
    }

    /// Tells the `error` handler what another one threw, and closes the socket with 1011 unless `error` closed it.
    func handlerFailed(_ error: any Error) {
        withHandlers { $0.error(self, error) }
        loop.report(.thrown(ObjectIdentifier(type(of: error))), "a WebSocket handler threw: \(error)", metadata)
        if isOpen { close(.internalError, reason: "internal error", isOwn: true) }
    }
}
