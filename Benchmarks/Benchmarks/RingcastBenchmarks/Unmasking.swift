import Benchmark
import WebSocketProtocol

/// Unmasks a payload in place, six bytes off any alignment as behind a frame header.
func unmaskBenchmarks() {
    for count in [16, 125, 1 << 10, 16 << 10, 1 << 20] {
        let configuration = Benchmark.Configuration(
            metrics: [.wallClock], timeUnits: .nanoseconds, scalingFactor: count < 1 << 20 ? .kilo : .one,
            maxDuration: .milliseconds(500), maxIterations: 10_000,
            thresholds: Benchmark.defaultConfiguration.thresholds)
        Benchmark("unmask.\(count)", configuration: configuration) { benchmark in
            var buffer = [UInt8](repeating: 0x61, count: count + 6)
            var span = buffer.mutableSpan
            var bytes = span.mutableBytes
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations {
                blackHole(unmask(&bytes, in: 6..<count + 6, key: MaskingKey(rawValue: 0x1234_5678)))
            }
            benchmark.stopMeasurement()
        }
    }
}
