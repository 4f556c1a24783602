import Benchmark
import WebSocketProtocol

/// Decodes a receive buffer full of frames: 64 small ones, or one large. Times are per buffer.
func frameDecodingBenchmarks() {
    for (kind, opcode) in [("text", Opcode.text), ("binary", .binary)] {
        measure("decode.\(kind).64x16", buffer: frames(64, of: opcode, payloadLength: 16))
        measure("decode.\(kind).64x100", buffer: frames(64, of: opcode, payloadLength: 100))
        measure("decode.\(kind).64x200", buffer: frames(64, of: opcode, payloadLength: 200))
        measure("decode.\(kind).1x16384", buffer: frames(1, of: opcode, payloadLength: 16 << 10))
        measure("decode.\(kind).1x65536", buffer: frames(1, of: opcode, payloadLength: 64 << 10))
    }
}

private func measure(_ name: String, buffer: [UInt8]) {
    Benchmark(name) { benchmark in
        var buffer = buffer
        var bytes = buffer.mutableSpan
        var input = bytes.mutableBytes
        var decoder = FrameDecoder(role: .server)
        let limits = DecoderLimits()
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            var position = 0
            while let event = decoder.next(in: &input, at: &position, limits: limits) {
                if case .violation(let violation) = event { fatalError(violation.reason) }
                blackHole(event)
            }
        }
        benchmark.stopMeasurement()
    }
}

/// Decoding unmasks in place, so that every second round reads what is unmasked as masked. A mask and a payload of
/// ASCII give ASCII in either state.
private func frames(_ count: Int, of opcode: Opcode, payloadLength: Int) -> [UInt8] {
    let header = FrameHeader(
        opcode: opcode, payloadLength: payloadLength, mask: MaskingKey(rawValue: 0x1234_5678))
    var encoded = [UInt8](repeating: 0x61, count: header.encodedLength + payloadLength)
    var span = encoded.mutableSpan
    var bytes = span.mutableBytes
    header.write(into: &bytes)
    return (0..<count).flatMap { _ in encoded }
}
