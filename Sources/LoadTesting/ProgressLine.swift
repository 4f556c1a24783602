/// The line that a terminal shows while a load runs.
package struct ProgressLine: Sendable {
    package enum Phase: Equatable, Sendable {
        case connecting(of: Int)
        case warmingUp(secondsLeft: Double)
        case measuring(secondsLeft: Double)
        case finishing
    }

    private let workload: Workload
    private var shown = 0

    package init(workload: Workload) { self.workload = workload }

    /// The line for what happened in the last interval.
    package static func text(_ phase: Phase, _ row: TimeSeries.Row, open: Int, workload: Workload) -> String {
        let errors = row.counters.errors + row.counters.failedConnections
        let trouble = errors > 0 ? ", \(errors) errors" : ""
        switch phase {
        case .connecting(let all): return "connecting: \(open) of \(all)" + trouble
        case .finishing: return "finishing"
        case .warmingUp(let left): return figures("warming up", left, row, open, workload) + trouble
        case .measuring(let left): return figures(workload.rawValue, left, row, open, workload) + trouble
        }
    }

    private static func figures(
        _ name: String, _ left: Double, _ row: TimeSeries.Row, _ open: Int, _ workload: Workload
    )
        -> String
    {
        let time = "\(Units.fixed(max(0, left).rounded(.up), 0)) s left"
        guard workload != .idle else { return "\(name): \(open) connections, \(time)" }
        let rate = row.seconds > 0 ? Double(row.counters.received) / row.seconds : 0
        return "\(name): \(Units.show(count: rate)) messages/s, p50 \(Units.show(microseconds: row.latency.p50)), "
            + "p99 \(Units.show(microseconds: row.latency.p99)), \(open) connections, \(time)"
    }

    /// What to write so that `text` replaces the line that stands there.
    package mutating func replacing(by text: String) -> String {
        let rest = String(repeating: " ", count: max(0, shown - text.count))
        shown = text.count
        return "\r" + text + rest
    }

    /// What to write to have the line gone.
    package mutating func clear() -> String {
        guard shown > 0 else { return "" }
        return replacing(by: "") + "\r"
    }
}
