import Testing
import WebSocketProtocol

@Suite struct FrameHeaderTests {
    @Test func `headers are what RFC 6455 5-7 shows`() {
        #expect(encoded(FrameHeader(opcode: .text, payloadLength: 5)) == [UInt8](hex: "81 05"))
        #expect(encoded(FrameHeader(opcode: .text, isFinal: false, payloadLength: 3)) == [UInt8](hex: "01 03"))
        #expect(encoded(FrameHeader(opcode: .continuation, payloadLength: 2)) == [UInt8](hex: "80 02"))
        #expect(encoded(FrameHeader(opcode: .binary, payloadLength: 256)) == [UInt8](hex: "82 7E 0100"))
        #expect(encoded(FrameHeader(opcode: .binary, payloadLength: 65536)) == [UInt8](hex: "82 7F 0000000000010000"))
    }

    @Test func `the compression bit is RSV1`() {
        #expect(encoded(FrameHeader(opcode: .text, isCompressed: true, payloadLength: 0)) == [UInt8](hex: "C1 00"))
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536, 1 << 40])
    func `the length is encoded in the fewest bytes`(length: Int) {
        let expected = length < 126 ? 2 : length < 65536 ? 4 : 10
        #expect(FrameHeader(opcode: .binary, payloadLength: length).encodedLength == expected)
        #expect(FrameHeader.encodedLength(payloadLength: length) == expected)
        let masked = FrameHeader(opcode: .binary, payloadLength: length, mask: MaskingKey(rawValue: 1))
        #expect(masked.encodedLength == expected + 4)
    }

    @Test func `the mask lies behind the length`() {
        let mask = MaskingKey(rawValue: UInt32(bigEndian: 0x37FA_213D))
        let short = FrameHeader(opcode: .text, payloadLength: 5, mask: mask)
        #expect(encoded(short) == [UInt8](hex: "81 85 37FA213D"))
        let long = FrameHeader(opcode: .text, payloadLength: 300, mask: mask)
        #expect(encoded(long) == [UInt8](hex: "81 FE 012C 37FA213D"))
    }

    @Test func `a pointer is written like a span`() {
        let header = FrameHeader(opcode: .binary, payloadLength: 1000, mask: MaskingKey(rawValue: 7))
        var bytes = [UInt8](repeating: 0xEE, count: 9)
        unsafe bytes.withUnsafeMutableBytes { unsafe header.write(to: $0.baseAddress!) }
        #expect(bytes == encoded(header) + [0xEE])
    }

    @Test(arguments: [0, 1, 125, 126, 65535, 65536])
    func `what is written is read again`(length: Int) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        let fromServer = encoded(FrameHeader(opcode: .binary, payloadLength: length)) + payload
        #expect(decode([fromServer], Setting(role: .client)) == [.binary(payload)])

        let mask = MaskingKey(rawValue: 0xA1B2_C3D4)
        let header = encoded(FrameHeader(opcode: .binary, payloadLength: length, mask: mask))
        var fromClient = header + payload
        var storage = fromClient.mutableSpan
        var span = storage.raw
        unmask(&span, in: header.count..<span.byteCount, key: mask)
        #expect(decode([fromClient]) == [.binary(payload)])
    }

    private func encoded(_ header: FrameHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: header.encodedLength)
        var storage = bytes.mutableSpan
        var span = storage.raw
        header.write(into: &span)
        return bytes
    }
}
