import Benchmark

/// One function per file registers what the file measures; a new file gets a line here.
///
/// What is measured has to be public, or built in this package once more as the mailbox is: `package` symbols are not
/// visible. Names are parts divided by dots (`cork.written.16x64`), since each names a file in `Thresholds`: the 90th
/// percentile on one machine. `Scripts/micro-benchmarks` fails where one is exceeded twice over.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock], timeUnits: .nanoseconds, warmupIterations: 10, scalingFactor: .kilo,
        maxDuration: .milliseconds(500), maxIterations: 10_000,
        thresholds: [.wallClock: .init(relative: [.p90: 100])])
    corkBenchmarks()
    frameEncodingBenchmarks()
    frameDecodingBenchmarks()
    unmaskBenchmarks()
    utf8Benchmarks()
    handshakeBenchmarks()
    mailboxBenchmarks()
    routeBenchmarks()
    topicBenchmarks()
}
