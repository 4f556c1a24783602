import Testing
import WebSocketProtocol

@testable import Ringcast

/// What a loop compresses with, by the length of a message.
@Suite struct LoopCompressionTests {
    private static let repeated = 258

    /// Noise that ends with its first bytes: it becomes shorter only if the window reaches back to them.
    private static func message(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<count - repeated).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return noise + noise.prefix(repeated)
    }

    @Test(
        arguments: [
            600, LoopCompression.smallByteCount, LoopCompression.smallByteCount + 1, 20_000,
        ], [12, 13, 15])
    func `a message is deflated as well as the window allows`(count: Int, windowBits: Int) throws {
        let message = Self.message(count)
        let compression = LoopCompression()
        let form = FrameForm.deflated(windowBits: windowBits)
        let deflater = compression.deflater(for: form, byteCount: count)
        var inflater = Inflater(windowBits: windowBits, keepsContext: false)
        // Twice: nothing of the first may be referred to.
        for _ in 0..<2 {
            var frames = MessageBuffer()
            let frame = unsafe message.withUnsafeBytes { unsafe deflater.appendFrame($0, as: .binary, to: &frames) }
            let reaches = count - Self.repeated <= (1 << windowBits) - 262
            #expect((frame.count < count - Self.repeated / 2) == reaches)
            // A frame of 126 to 65,535 bytes has four bytes of header (RFC 6455 §5.2).
            let payload = frames.bytes.extracting(frame).extracting(4...)
            var inflated = MessageBuffer()
            try inflater.inflate(payload, limit: count, into: &inflated)
            let result = unsafe inflated.bytes.withUnsafeBytes { unsafe Array($0) }
            #expect(result == message)
        }
    }

    @Test func `small messages of all large windows share one compressor`() {
        let compression = LoopCompression()
        func deflater(_ windowBits: Int, _ byteCount: Int) -> DeflateStream {
            compression.deflater(for: FrameForm.deflated(windowBits: windowBits), byteCount: byteCount)
        }
        let small = LoopCompression.smallByteCount
        #expect(deflater(15, small) === deflater(12, small))
        #expect(deflater(15, small) !== deflater(15, small + 1))
        #expect(deflater(11, small) !== deflater(12, small))
    }
}
