import WebSocketProtocol

/// A frame as bytes, written down by RFC 6455 §5.2 and not by the code under test: any mistake can be put in.
struct Frame {
    var first: UInt8
    var payload: [UInt8]
    var mask: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
    /// Written instead of the shortest encoding: the low seven bits of the second byte, and what follows it.
    var length: (short: UInt8, extended: [UInt8])?

    static func text(_ text: String) -> Frame { Frame(first: 0x81, payload: Array(text.utf8)) }
    static func binary(_ bytes: [UInt8]) -> Frame { Frame(first: 0x82, payload: bytes) }
    static func close(_ code: UInt16, _ reason: [UInt8] = []) -> Frame {
        Frame(first: 0x88, payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
    }

    var unmasked: Frame {
        var frame = self
        frame.mask = nil
        return frame
    }

    var bytes: [UInt8] {
        var (short, extended): (UInt8, [UInt8]) =
            switch payload.count {
            case ...125: (UInt8(payload.count), [])
            case ...0xFFFF: (126, bigEndian(payload.count, byteCount: 2))
            default: (127, bigEndian(payload.count, byteCount: 8))
            }
        if let length { (short, extended) = length }
        guard let mask else { return [first, short] + extended + payload }
        let masked = payload.enumerated().map { $1 ^ mask[$0 % 4] }
        return [first, short | 0x80] + extended + mask + masked
    }
}

private func bigEndian(_ value: Int, byteCount: Int) -> [UInt8] {
    (0..<byteCount).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

func + (frame: Frame, other: Frame) -> [UInt8] { frame.bytes + other.bytes }
func + (bytes: [UInt8], frame: Frame) -> [UInt8] { bytes + frame.bytes }
