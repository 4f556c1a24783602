import Reactor
import WebSocketProtocol

/// How whole frames get into the send queue: masked if this end is a client, and behind the backlog if there is one.
extension Session {
    /// A key for the next frame, if this end is a client (RFC 6455 §5.3).
    @inline(__always)
    func nextMask() -> MaskingKey? { traits.contains(.masks) ? loop.maskingKeys.next() : nil }

    /// Queues a frame that is never evicted, behind everything else.
    @inline(__always)
    func queueFrame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) {
        guard !flags.contains(.backlogged) else {
            return addToBacklog([UInt8](unsafe OutgoingFrame(opcode, payload)), .direct)
        }
        connection.send(unsafe OutgoingFrame(opcode, payload, mask: nextMask()))
    }

    /// Queues an encoded frame that is never evicted, behind everything else.
    func queueEncoded(_ frame: EncodedFrame) {
        guard !flags.contains(.backlogged) else { return addToBacklog(unsafe [UInt8](frame.bytes), .direct) }
        write(frame)
    }

    /// Writes an encoded frame into the send queue, masked if this end is a client.
    func write(_ frame: EncodedFrame) {
        if let mask = nextMask() { connection.send(OutgoingFrame(frame, mask: mask)) } else { connection.send(frame) }
    }
}
