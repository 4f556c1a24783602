#if CommandLineTool
    package import Histogram
#else
    #error("the tool needs the trait CommandLineTool: leave out --disable-default-traits, or add --target Ringcast")
#endif

/// Latencies in nanoseconds, three digits of each kept.
package struct LatencyRecorder: Sendable {
    package private(set) var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 64, highestTrackableValue: LatencyRecorder.longest,
        numberOfSignificantValueDigits: .three)
    /// The longest latency that is told apart: ten minutes. Longer ones are recorded as this one.
    package static let longest: UInt64 = 600_000_000_000

    /// Latencies of messages that were to be sent before this moment are left out: the warm-up's.
    package var beginsAt: UInt64 = 0

    package init() {}

    /// Records a latency that counts from when the message was to be sent, not from when it was: otherwise a server
    /// that holds the sender up would look fast (coordinated omission).
    @inline(__always)
    package mutating func record(intended: UInt64, now: UInt64) {
        guard intended >= beginsAt else { return }
        histogram.record(min(now > intended ? now - intended : 0, Self.longest))
    }

    package mutating func reset() { histogram.reset() }

    package mutating func add(_ other: LatencyRecorder) { histogram.add(other.histogram) }

    package var count: Int { Int(histogram.totalCount) }

    /// The percentiles of what was recorded; nil where nothing was.
    package var summary: LatencySummary? {
        guard histogram.totalCount > 0 else { return nil }
        let at = { (percentile: Double) in Double(histogram.valueAtPercentile(percentile)) / 1_000 }
        return LatencySummary(
            p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), p9999: at(99.99), max: Double(histogram.max) / 1_000)
    }
}

/// Percentiles of latency, in microseconds.
package struct LatencySummary: Equatable, Sendable {
    package var p50: Double
    package var p90: Double
    package var p99: Double
    package var p999: Double
    package var p9999: Double
    package var max: Double

    package init(
        p50: Double = 0, p90: Double = 0, p99: Double = 0, p999: Double = 0, p9999: Double = 0, max: Double = 0
    ) {
        (self.p50, self.p90, self.p99, self.p999, self.p9999, self.max) = (p50, p90, p99, p999, p9999, max)
    }
}
