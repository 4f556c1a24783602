import PubSub
import Reactor
import WebSocketProtocol

extension Session {
    /// Decompresses a message and hands it over. It lies in the loop's buffer, whatever the size and the context.
    /// - Returns: false if nothing more of this connection is wanted; then the session may be gone.
    func receiveDeflated(_ kind: MessageKind, _ payload: Payload, in bytes: RawSpan, on loop: SocketLoop) -> Bool {
        let compression = loop.compression
        let violation = inflate(kind, payload, in: bytes, with: compression)
        if payload == .assembled { unsafe state.pointee.decoder.releaseAssembled() }
        defer { compression.input.removeAll(keeping: LoopCompression.keptByteCount) }
        if let violation {
            fail(violation.closeCode, reason: violation.reason)
            return false
        }
        if traits.contains(.metered) {
            switch admitMessage(compression.input.count, now: loop.now) {
            case .handed: break
            case .dropped: return true
            case .ended: return false
            }
        }
        // No message is received while a handler runs, so that nothing else is written to the buffer meanwhile.
        func lend(_ buffer: borrowing MessageBuffer) { hand(buffer.bytes, kind) }
        lend(compression.input)
        return phase < .terminated
    }

    private func inflate(
        _ kind: MessageKind, _ payload: Payload, in bytes: RawSpan, with compression: LoopCompression
    ) -> ProtocolViolation? {
        let limit = withKind { $0.limits.maxPayloadLength }
        let inflater = inflater(of: compression)
        compression.input.removeAll()
        var violation: ProtocolViolation?
        withBytes(of: payload, in: bytes) { body in
            do throws(ProtocolViolation) {
                try inflater.inflate(body, limit: limit, into: &compression.input)
            } catch { violation = error }
        }
        withKind { unsafe $0.counters.pointee.inflatedBytes += UInt64(compression.input.count) }
        if violation == nil, kind.isText, !isText(compression.input) { return .invalidText }
        return violation
    }

    /// Whether an inflated message is valid UTF-8 (RFC 6455 §8.1).
    private func isText(_ buffer: borrowing MessageBuffer) -> Bool {
        var validator = UTF8Validator()
        return validator.consume(buffer.bytes) && validator.isComplete
    }

    private func inflater(of compression: LoopCompression) -> InflateStream {
        let agreed = unsafe state.pointee.compression
        guard agreed.keepsIncomingContext else { return compression.inflater }
        let extras = makeExtras()
        if let inflater = extras.inflater { return inflater }
        let inflater = InflateStream(windowBits: agreed.incomingWindowBits, keepsContext: true)
        extras.inflater = inflater
        return inflater
    }
}

extension Session {
    /// `send` of a message that is to be deflated.
    /// - Parameter queued: bytes that are queued already.
    @inline(never)
    func sendDeflated(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, behind queued: Int) -> SendResult {
        let count = unsafe queueDeflated(payload, as: opcode)
        withKind { unsafe $0.counters.pointee.messagesOut += 1 }
        if connection.isBlocked || queued + count > Self.corkWatermark {
            oweDrain()
            return .backpressure
        }
        return .sent(bytes: payload.count)
    }

    /// Queues a message deflated, behind everything else, and says how long its frame is. One that does not become
    /// shorter goes as it is, unless the socket's compressor has already taken it into its context.
    func queueDeflated(_ payload: UnsafeRawBufferPointer, as opcode: Opcode) -> Int {
        let compression = loop.compression
        let keepsContext = traits.contains(.keepsContext)
        let deflater =
            keepsContext ? dedicatedDeflater : compression.deflater(for: form, byteCount: payload.count)
        compression.output.removeAll()
        // Also behind what does not shrink, and makes the largest frames.
        defer { compression.output.removeAll(keeping: LoopCompression.keptByteCount) }
        let frame = unsafe deflater.appendFrame(payload, as: opcode, to: &compression.output)
        withKind { unsafe $0.counters.pointee.framesDeflated += 1 }
        let plainLength = unsafe OutgoingFrame(opcode, payload).byteCount
        guard keepsContext || frame.count < plainLength else {
            unsafe queueFrame(opcode, payload)
            return plainLength
        }
        // Safe: the frame is copied before the closure returns.
        func lend(_ buffer: borrowing MessageBuffer) {
            unsafe buffer.bytes.extracting(frame).withUnsafeBytes { queueEncoded(unsafe EncodedFrame($0)) }
        }
        lend(compression.output)
        return frame.count
    }

    /// The form of a published message that this socket gets.
    @inline(__always)
    var form: Int { traits.contains(.deflates) ? unsafe state.pointee.compression.form : FrameForm.plain }

    /// Starts the socket's compressor anew: the peer got a compressed message that another one has made, which changes
    /// the peer's window.
    func forgetOutgoingContext() { extras?.deflater?.forgetContext() }

    private var dedicatedDeflater: DeflateStream {
        let extras = makeExtras()
        if let deflater = extras.deflater { return deflater }
        let deflater = DeflateStream(
            windowBits: unsafe state.pointee.compression.outgoingWindowBits,
            memoryLevel: withKind { $0.perMessageDeflate.compress.memoryLevel }, keepsContext: true)
        extras.deflater = deflater
        return deflater
    }

    /// Tells the handler of the message in a compressed frame that was dropped. Only frames that refer to nothing
    /// before them are ever dropped once they are compressed.
    func reportDrop(deflated frame: EncodedFrame) {
        guard withKind({ $0.reportsDrops }) else { return }
        var message = MessageBuffer()
        // A buffer and a stream of its own: the loop's may be lent to a handler at this moment.
        let inflater = InflateStream(windowBits: 15, keepsContext: false)
        // This process has deflated the frame: inflating it cannot fail.
        try? inflater.inflate(unsafe frame.payload.bytes, limit: .max, into: &message)
        unsafe message.bytes.withUnsafeBytes { unsafe reportDrop($0, as: frame.opcode) }
    }
}
