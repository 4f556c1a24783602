import Benchmark

/// One function per file registers what the file measures; a new file, the mailbox's for one, gets a line here.
///
/// What is measured has to be public: `package` symbols are not visible from this package.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput], timeUnits: .nanoseconds, warmupIterations: 10, scalingFactor: .kilo,
        maxDuration: .milliseconds(500), maxIterations: 10_000)
    frameDecodingBenchmarks()
    unmaskBenchmarks()
    utf8Benchmarks()
    handshakeBenchmarks()
}
