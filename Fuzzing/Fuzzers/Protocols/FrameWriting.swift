@testable import WebSocketProtocol

/// Frames written with the product's own header and mask.
enum FrameWriting {
    /// - Parameter role: of whoever receives it.
    static func frame(
        _ opcode: Opcode, _ payload: [UInt8], to role: Role, isFinal: Bool = true, isCompressed: Bool = false
    ) -> [UInt8] {
        let mask = role == .server ? MaskingKey(rawValue: 0xA5F0_3C69) : nil
        let header = FrameHeader(
            opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, payloadLength: payload.count, mask: mask)
        var bytes = [UInt8](repeating: 0, count: header.encodedLength + payload.count)
        bytes.withUnsafeMutableBytes { memory in
            guard let base = memory.baseAddress else { return }
            header.write(to: base)
            let room = base + header.encodedLength
            payload.withUnsafeBytes { source in
                if let mask {
                    mask.mask(source, to: room)
                } else if let start = source.baseAddress {
                    room.copyMemory(from: start, byteCount: source.count)
                }
            }
        }
        return bytes
    }
}
