import Testing

@testable import WebSocketProtocol

/// Compressing and decompressing, with the examples of RFC 7692 §7.2.3 and against each other.
@Suite struct DeflaterTests {
    static func deflate(_ message: [UInt8], with deflater: inout Deflater) -> [UInt8] {
        var buffer = MessageBuffer()
        deflater.deflate(message.raw, into: &buffer)
        return copy(buffer.bytes)
    }

    static func inflate(
        _ payload: [UInt8], limit: Int = 1 << 20, with inflater: inout Inflater
    ) throws(ProtocolViolation) -> [UInt8] {
        var buffer = MessageBuffer()
        try inflater.inflate(payload.raw, limit: limit, into: &buffer)
        return copy(buffer.bytes)
    }

    static func inflated(_ hex: String, limit: Int = 1 << 20) throws(ProtocolViolation) -> String {
        var inflater = Inflater(windowBits: 15, keepsContext: true)
        return String(decoding: try inflate([UInt8](hex: hex), limit: limit, with: &inflater), as: UTF8.self)
    }

    /// Words out of a small vocabulary: they compress, but not to nothing.
    static func text(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        var bytes: [UInt8] = []
        while bytes.count < count {
            bytes += "\(["price", "size", "bid", "ask", "ringcast"].randomElement(using: &generator)!):".utf8
            bytes += "\(UInt16.random(in: 0...999, using: &generator)),".utf8
        }
        return Array(bytes.prefix(count))
    }

    static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    @Test func `the RFC's messages are made`() {
        var deflater = Deflater(windowBits: 15, keepsContext: true)
        let hello = Array("Hello".utf8)
        #expect(Self.deflate(hello, with: &deflater) == [UInt8](hex: "f2 48 cd c9 c9 07 00"))
        #expect(Self.deflate(hello, with: &deflater) == [UInt8](hex: "f2 00 11 00 00"))
        deflater.forgetContext()
        #expect(Self.deflate(hello, with: &deflater) == [UInt8](hex: "f2 48 cd c9 c9 07 00"))
        #expect(Self.deflate(hello, with: &deflater) == [UInt8](hex: "f2 00 11 00 00"))
    }

    @Test func `without context the same message is always the same bytes`() {
        var deflater = Deflater(windowBits: 15, keepsContext: false)
        let hello = Array("Hello".utf8)
        for _ in 0..<3 { #expect(Self.deflate(hello, with: &deflater) == [UInt8](hex: "f2 48 cd c9 c9 07 00")) }
    }

    @Test func `the RFC's messages are read`() throws {
        #expect(try Self.inflated("f2 48 cd c9 c9 07 00") == "Hello")
        #expect(try Self.inflated("00 05 00 fa ff 48 65 6c 6c 6f 00") == "Hello")
        #expect(try Self.inflated("f3 48 cd c9 c9 07 00 00") == "Hello")
        #expect(try Self.inflated("f2 48 05 00 00 00 ff ff ca c9 c9 07 00") == "Hello")
        #expect(try Self.inflated("00") == "")
    }

    @Test func `a context is taken over only where it is kept`() throws {
        var keeping = Inflater(windowBits: 15, keepsContext: true)
        _ = try Self.inflate([UInt8](hex: "f2 48 cd c9 c9 07 00"), with: &keeping)
        #expect(try Self.inflate([UInt8](hex: "f2 00 11 00 00"), with: &keeping) == Array("Hello".utf8))
        var forgetting = Inflater(windowBits: 15, keepsContext: false)
        _ = try Self.inflate([UInt8](hex: "f2 48 cd c9 c9 07 00"), with: &forgetting)
        #expect(throws: ProtocolViolation.invalidDeflate) {
            _ = try Self.inflate([UInt8](hex: "f2 00 11 00 00"), with: &forgetting)
        }
        // And then goes on as if nothing had been.
        #expect(
            try Self.inflate([UInt8](hex: "f2 48 cd c9 c9 07 00"), with: &forgetting) == Array("Hello".utf8))
    }

    @Test func `finished streams are messages too, and what follows may refer to them`() throws {
        var inflater = Inflater(windowBits: 15, keepsContext: true)
        // BFINAL set and nothing behind it; with the byte of §7.2.3.4; two streams in one message.
        #expect(try Self.inflate([UInt8](hex: "f3 48 cd c9 c9 07 00"), with: &inflater) == Array("Hello".utf8))
        #expect(try Self.inflate([UInt8](hex: "f2 00 11 00 00"), with: &inflater) == Array("Hello".utf8))
        #expect(try Self.inflate([UInt8](hex: "f3 48 cd c9 c9 07 00 00"), with: &inflater) == Array("Hello".utf8))
        let twice = [UInt8](hex: "f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00")
        #expect(try Self.inflate(twice, with: &inflater) == Array("HelloHello".utf8))
        #expect(try Self.inflate([UInt8](hex: "f2 00 11 00 00"), with: &inflater) == Array("Hello".utf8))
    }

    @Test(arguments: 8...15)
    func `every window goes there and back, with and without context`(windowBits: Int) throws {
        for keepsContext in [true, false] {
            var deflater = Deflater(windowBits: windowBits, memoryLevel: 8, keepsContext: keepsContext)
            var inflater = Inflater(windowBits: windowBits, keepsContext: keepsContext)
            for (number, count) in [1, 5, 1_000, 40_000, 3, 200_000, 65_536].enumerated() {
                for message in [Self.text(count, seed: UInt64(number)), Self.noise(count, seed: UInt64(number))] {
                    let payload = Self.deflate(message, with: &deflater)
                    #expect(try Self.inflate(payload, with: &inflater) == message)
                }
            }
        }
    }

    @Test func `a window of 8 bits is not left`() throws {
        // The same 250 bytes again and again are within 256 of each other; the same 300 are not.
        let near = Array(repeating: Self.noise(250, seed: 1), count: 40).flatMap { $0 }
        let far = Array(repeating: Self.noise(300, seed: 2), count: 40).flatMap { $0 }
        var deflater = Deflater(windowBits: 8, keepsContext: true)
        var inflater = Inflater(windowBits: 8, keepsContext: true)
        let nearPayload = Self.deflate(near, with: &deflater)
        #expect(nearPayload.count < 1_000)
        #expect(try Self.inflate(nearPayload, with: &inflater) == near)
        let farPayload = Self.deflate(far, with: &deflater)
        #expect(farPayload.count > 11_000)
        #expect(try Self.inflate(farPayload, with: &inflater) == far)
    }

    @Test func `who refers further back than is kept is refused`() throws {
        let message = Self.noise(400, seed: 3)
        var deflater = Deflater(windowBits: 15, keepsContext: true)
        let first = Self.deflate(message, with: &deflater)
        let second = Self.deflate(message, with: &deflater)
        #expect(second.count < 20)
        for windowBits in 8...15 {
            var inflater = Inflater(windowBits: windowBits, keepsContext: true)
            #expect(try Self.inflate(first, with: &inflater) == message)
            if windowBits == 8 {
                #expect(throws: ProtocolViolation.invalidDeflate) { _ = try Self.inflate(second, with: &inflater) }
            } else {
                #expect(try Self.inflate(second, with: &inflater) == message)
            }
        }
    }

    @Test(arguments: [
        "ff", "f2 48 cd c9 c9 07", "f2 48 cd", "06", "f2", "00 05 00 fa ff 48", "00 05 00 00 00 48 65 6c 6c 6f 00",
        "00 01", "f2 48 cd c9 c9 07 00 ff", "04 c0 81 08 00 00 00 00 20 7f eb 0b 00 00",
    ])
    func `what is not a whole deflated message fails with 1007`(hex: String) {
        #expect(throws: ProtocolViolation.invalidDeflate) { _ = try Self.inflated(hex) }
        #expect(ProtocolViolation.invalidDeflate.closeCode == .invalidPayload)
    }

    @Test func `random bytes neither trap nor hang`() {
        var generator = SeededGenerator(seed: 7692)
        var inflater = Inflater(windowBits: 15, keepsContext: false)
        for seed in 0..<5_000 as Range<UInt64> {
            let payload = Self.noise(Int.random(in: 1...200, using: &generator), seed: seed)
            do throws(ProtocolViolation) {
                _ = try Self.inflate(payload, limit: 10_000, with: &inflater)
            } catch {
                #expect(error == .invalidDeflate || error == .messageTooBig)
            }
        }
    }

    @Test func `a message may be as long as the limit and no longer`() throws {
        let message = [UInt8](repeating: 0x61, count: 100_000)
        var deflater = Deflater(windowBits: 15, keepsContext: false)
        let payload = Self.deflate(message, with: &deflater)
        var inflater = Inflater(windowBits: 15, keepsContext: false)
        #expect(try Self.inflate(payload, limit: 100_000, with: &inflater) == message)
        #expect(throws: ProtocolViolation.messageTooBig) {
            _ = try Self.inflate(payload, limit: 99_999, with: &inflater)
        }
        #expect(throws: ProtocolViolation.messageTooBig) { _ = try Self.inflate(payload, limit: 0, with: &inflater) }
        #expect(try Self.inflate(payload, limit: .max, with: &inflater) == message)
    }
}
