// Options are given as `Duration`; loops count in milliseconds.
extension Duration {
    /// The first of some named times that is negative, in one sentence.
    static func objection(to times: [(String, Duration)]) -> String? {
        times.first { $0.1 < .zero }.map { "\($0.0) is \($0.1): a time cannot be negative" }
    }

    /// Whole milliseconds, rounded up so that a timeout is never early; negative durations count as zero, those beyond
    /// 34 years as 34 years, so that one can calculate with them.
    package var milliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000)
        guard !overflow, whole < 1 << 40 else { return 1 << 40 }
        return whole + UInt64((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
