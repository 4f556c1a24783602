// Ringcast/Wire: messages into bytes, and compressed ones back: the writer of frames, the deflated forms of a message,
// the keys that clients mask with. To whom the bytes go, and what becomes of them at a slow peer, is not known here:
// that is in `Session/` and `Topics/`.

import PubSub
import Reactor
import WebSocketProtocol

/// One unfragmented frame on its way out (RFC 6455 §5.2). Every frame is put together here, but for deflated ones,
/// which `DeflateStream` writes.
@safe struct OutgoingFrame {
    private let header: FrameHeader
    private let mask: MaskingKey?
    private let payload: UnsafeRawBufferPointer

    /// A message or control frame. The payload has to stay until the frame is written.
    /// - Parameter mask: a client's key for this frame (§5.3); servers give none.
    @inline(__always)
    init(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, mask: MaskingKey? = nil) {
        unsafe self.init(opcode, payload, isCompressed: false, mask: mask)
    }

    /// An encoded frame once more, now with a mask.
    init(_ frame: EncodedFrame, mask: MaskingKey?) {
        unsafe self.init(frame.opcode, frame.payload, isCompressed: frame.isCompressed, mask: mask)
    }

    @inline(__always)
    private init(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, isCompressed: Bool, mask: MaskingKey?) {
        header = FrameHeader(opcode: opcode, isCompressed: isCompressed, payloadLength: payload.count, mask: mask)
        self.mask = mask
        unsafe self.payload = unsafe payload
    }

    /// Bytes of header and payload.
    @inline(__always)
    var byteCount: Int { unsafe header.encodedLength + payload.count }

    /// Writes the frame to memory for `byteCount` bytes. Costs one pass over the payload, masked or not.
    @inline(__always)
    func write(to room: UnsafeMutableRawPointer) {
        unsafe header.write(to: room)
        guard let bytes = unsafe payload.baseAddress else { return }
        let body = unsafe room + header.encodedLength
        if let mask { return unsafe mask.mask(payload, to: body) }
        unsafe body.copyMemory(from: bytes, byteCount: payload.count)
    }

    /// Writes the header in front of a payload that lies in memory of this loop, and returns the whole frame.
    ///
    /// A client's header, with its mask, is longer than a server's, so that a received message has room in front of it.
    /// An empty frame lies nowhere, and is not written.
    func writtenInPlace() -> UnsafeRawBufferPointer? {
        guard let payload = unsafe payload.baseAddress else { return nil }
        let start = unsafe UnsafeMutableRawPointer(mutating: payload) - header.encodedLength
        unsafe header.write(to: start)
        return unsafe UnsafeRawBufferPointer(start: start, count: byteCount)
    }
}

// Safe, all four: the frame fills exactly the room that it was given.
extension Connection {
    /// Queues a frame behind everything else.
    @inline(__always)
    func send(_ frame: OutgoingFrame) { unsafe send(count: frame.byteCount) { unsafe frame.write(to: $0) } }

    /// Queues a frame in front of whole frames that wait.
    func sendUrgent(_ frame: OutgoingFrame) { unsafe sendUrgent(count: frame.byteCount) { unsafe frame.write(to: $0) } }
}

extension EventLoop {
    /// Writes a frame to the loop's shared log.
    func share(_ frame: OutgoingFrame) -> SharedBytes { unsafe share(frame.byteCount) { unsafe frame.write(to: $0) } }
}

extension [UInt8] {
    init(_ frame: OutgoingFrame) {
        unsafe self.init(unsafeUninitializedCapacity: frame.byteCount) { room, count in
            unsafe frame.write(to: UnsafeMutableRawPointer(room.baseAddress!))
            count = frame.byteCount
        }
    }
}

extension String {
    /// Lends the UTF-8 of the string; a copy only where it does not lie in one piece.
    func withPayload<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var copy = self
        return copy.withUTF8 { unsafe body(UnsafeRawBufferPointer($0)) }
    }
}
