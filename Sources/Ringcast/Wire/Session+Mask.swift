import Reactor
import WebSocketProtocol

/// What a client sends is masked (RFC 6455 §5.3), each frame with a new key.
extension Connection {
    /// Writes one unfragmented, masked frame at the end of the cork: one pass over the payload.
    func sendMaskedFrame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, key: MaskingKey) {
        let header = FrameHeader(opcode: opcode, payloadLength: payload.count, mask: key)
        let length = header.encodedLength
        // Safe: the cork gives room for exactly the header and the payload.
        unsafe send(count: length + payload.count) { room in
            unsafe header.write(to: room)
            unsafe key.mask(payload, to: room + length)
        }
    }

    /// The same in front of what waits.
    func sendUrgentMaskedFrame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, key: MaskingKey) {
        let header = FrameHeader(opcode: opcode, payloadLength: payload.count, mask: key)
        let length = header.encodedLength
        // Safe: there is room for exactly the header and the payload.
        unsafe sendUrgent(count: length + payload.count) { room in
            unsafe header.write(to: room)
            unsafe key.mask(payload, to: room + length)
        }
    }

    /// Writes a whole frame, which is not masked, as a masked one.
    func sendMasked(_ frame: UnsafeRawBufferPointer, key: MaskingKey) {
        let (maskBit, keyLength) = (0x80 as UInt8, MemoryLayout<UInt32>.size)
        let length = unsafe FrameHeader.encodedLength(ofFrame: frame)
        // Safe: the cork gives room for the frame and the key; the frame has a header, and all of its payload.
        unsafe send(count: frame.count + keyLength) { room in
            unsafe room.copyMemory(from: frame.baseAddress!, byteCount: length)
            unsafe room.storeBytes(of: frame[1] | maskBit, toByteOffset: 1, as: UInt8.self)
            unsafe room.storeBytes(of: key.rawValue, toByteOffset: length, as: UInt32.self)
            unsafe key.mask(UnsafeRawBufferPointer(rebasing: frame[length...]), to: room + length + keyLength)
        }
    }
}

extension FrameHeader {
    /// Bytes of the header of a whole frame that is not masked (§5.2).
    static func encodedLength(ofFrame frame: UnsafeRawBufferPointer) -> Int {
        switch unsafe frame[1] {
        case 126: 4
        case 127: 10
        default: 2
        }
    }
}

extension SocketLoop {
    /// How long a server may take to end the connection after the closing handshake (ms).
    private static let serversEndTime: UInt64 = 2000

    /// The closing handshake is over: it is the server that ends the connection first (RFC 6455 §7.1.1), so that the
    /// state which TCP keeps behind a connection stays with it, and a client has its ports back.
    func awaitServersEnd(of connection: Connection) { connection.setDeadline(now + Self.serversEndTime) }
}
