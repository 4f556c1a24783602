package import Histogram

/// Latencies in nanoseconds, three digits of each kept.
package struct LatencyRecorder: Sendable {
    package private(set) var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 64, highestTrackableValue: LatencyRecorder.longest,
        numberOfSignificantValueDigits: .three)
    /// What takes longer is recorded as this: ten minutes.
    package static let longest: UInt64 = 600_000_000_000

    /// What was to be sent before this moment is not recorded.
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

    /// nil if nothing was recorded.
    package var summary: LatencySummary? {
        guard histogram.totalCount > 0 else { return nil }
        let at = { (percentile: Double) in Double(histogram.valueAtPercentile(percentile)) / 1_000 }
        return LatencySummary(
            p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), p9999: at(99.99), max: Double(histogram.max) / 1_000)
    }
}

/// Percentiles of latency, in microseconds.
package struct LatencySummary: Equatable, Sendable {
    package var p50 = 0.0
    package var p90 = 0.0
    package var p99 = 0.0
    package var p999 = 0.0
    package var p9999 = 0.0
    package var max = 0.0

    package init() {}

    package init(p50: Double, p90: Double, p99: Double, p999: Double, p9999: Double, max: Double) {
        (self.p50, self.p90, self.p99, self.p999, self.p9999, self.max) = (p50, p90, p99, p999, p9999, max)
    }

    /// By name, in the order of a report.
    package static var figures: [(String, KeyPath<LatencySummary, Double>)] {
        [("p50", \.p50), ("p90", \.p90), ("p99", \.p99), ("p999", \.p999), ("p9999", \.p9999), ("max", \.max)]
    }
}
