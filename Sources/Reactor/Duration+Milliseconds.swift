// Options are given as `Duration`; loops count in milliseconds.
extension Duration {
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
