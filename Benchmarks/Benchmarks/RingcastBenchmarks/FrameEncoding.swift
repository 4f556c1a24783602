import Benchmark
import WebSocketProtocol

/// Writes the header of a frame, as a server does (no mask) and as a client does.
func frameEncodingBenchmarks() {
    for (length, kind) in [(64, "7-bit"), (1 << 10, "16-bit"), (1 << 20, "64-bit")] {
        Benchmark("encode.header.\(kind)") { benchmark in
            measure(FrameHeader(opcode: .binary, payloadLength: length, mask: nil), benchmark)
        }
        Benchmark("encode.header.\(kind).masked") { benchmark in
            let mask = MaskingKey(rawValue: 0x1234_5678)
            measure(FrameHeader(opcode: .binary, payloadLength: length, mask: mask), benchmark)
        }
    }
}

private func measure(_ header: FrameHeader, _ benchmark: Benchmark) {
    var buffer = [UInt8](repeating: 0, count: 14)
    var span = buffer.mutableSpan
    var bytes = span.mutableBytes
    for _ in benchmark.scaledIterations {
        // Behind a call that the compiler does not see through, or it would write once for all rounds.
        identity(header).write(into: &bytes)
    }
}
