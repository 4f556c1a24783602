import Testing
import WebSocketProtocol

@Suite struct UnmaskTests {
    private let key: [UInt8] = [0x81, 0x42, 0x24, 0x18]
    private var packedKey: MaskingKey { MaskingKey(rawValue: UInt32(bigEndian: 0x8142_2418)) }

    @Test func `every length at every alignment and phase is unmasked as byte by byte`() {
        var generator = SeededGenerator(seed: 1)
        for count in 0...200 {
            let plain = (0..<count + 24).map { _ in UInt8.random(in: 0...255, using: &generator) }
            for start in 0..<16 {
                let phase = (start + count) % 4
                let range = start..<start + count
                var expected = plain
                for index in range { expected[index] ^= key[(index - start + phase) % 4] }
                var bytes = plain
                var storage = bytes.mutableSpan
                var span = storage.raw
                let isASCII = unmask(&span, in: range, key: packedKey.advanced(by: phase))
                guard bytes == expected, isASCII == expected[range].allSatisfy({ $0 < 0x80 }) else {
                    Issue.record("\(count) bytes at \(start), phase \(phase)")
                    return
                }
            }
        }
    }

    @Test func `one byte that is not ASCII is seen wherever it is`() {
        for count in 1...200 {
            for place in 0..<count {
                var bytes = [UInt8](repeating: 0x61, count: count)
                bytes[place] = 0x80
                var storage = bytes.mutableSpan
                var span = storage.raw
                guard !unmask(&span, in: 0..<count, key: MaskingKey(rawValue: 0)) else {
                    Issue.record("missed at \(place) of \(count)")
                    return
                }
            }
        }
    }

    @Test func `ASCII under a mask is seen as ASCII`() {
        for count in 0...200 {
            var bytes = (0..<count).map { 0x61 ^ key[$0 % 4] }
            var storage = bytes.mutableSpan
            var span = storage.raw
            #expect(unmask(&span, in: 0..<count, key: packedKey))
        }
    }

    @Test func `the key goes round after four bytes`() {
        let key = MaskingKey(rawValue: UInt32(bigEndian: 0x0102_0304))
        #expect(key.advanced(by: 0) == key)
        #expect(key.advanced(by: 1) == MaskingKey(rawValue: UInt32(bigEndian: 0x0203_0401)))
        #expect(key.advanced(by: 3) == MaskingKey(rawValue: UInt32(bigEndian: 0x0401_0203)))
        #expect(key.advanced(by: 4) == key)
        #expect(key.advanced(by: 6) == key.advanced(by: 2))
    }
}
