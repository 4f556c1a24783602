import Benchmark

/// One function per file registers what the file measures; a new file gets a line here.
///
/// What is measured has to be public, or built in this package once more as the mailbox is: `package` symbols are not
/// visible.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput], timeUnits: .nanoseconds, warmupIterations: 10, scalingFactor: .kilo,
        maxDuration: .milliseconds(500), maxIterations: 10_000)
    frameDecodingBenchmarks()
    unmaskBenchmarks()
    utf8Benchmarks()
    handshakeBenchmarks()
    mailboxBenchmarks()
    topicBenchmarks()
}
