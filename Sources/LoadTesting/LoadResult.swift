/// What a load has measured.
package struct LoadResult: Sendable {
    package let plan: LoadPlan
    /// Seconds that were measured: less than planned if it was interrupted.
    package var seconds = 0.0
    /// What was counted in that time.
    package var counters = LoadCounters()
    /// Of the messages that were to be sent in that time; nil if none of them was answered.
    package var latency: LatencySummary?
    /// What was counted from beginning to end: losses that show only at the end, and connections that failed.
    package var total = LoadCounters()
    /// Messages of a schedule (`--rate`) that were due and never sent, since this tool could not keep up.
    package var unsent = 0
    /// Seconds until every connection was open.
    package var connectSeconds = 0.0
    package var server: Usage?
    /// Of this process, whose CPU is the tool's own share.
    package var client: Usage?
    package var series: [TimeSeries.Row] = []
    package var interrupted = false
    /// What went wrong first, where something did, in a sentence.
    package var firstError: String?
    /// What ended it early; nil if nothing did.
    package var failure: String?

    /// What a process has used between two samples.
    package struct Usage: Equatable, Sendable {
        package var user: Double
        package var system: Double
        package var residentBefore: Int
        package var residentAfter: Int
        package var voluntarySwitches: Int
        package var involuntarySwitches: Int

        package var cpu: Double { user + system }

        package init(from first: ProcessSample, to last: ProcessSample) {
            user = last.user - first.user
            system = last.system - first.system
            (residentBefore, residentAfter) = (first.residentBytes, last.residentBytes)
            voluntarySwitches = last.voluntarySwitches - first.voluntarySwitches
            involuntarySwitches = last.involuntarySwitches - first.involuntarySwitches
        }
    }

    package init(plan: LoadPlan) { self.plan = plan }

    /// What servers said to `--compress`.
    package enum Compression: String, Sendable { case negotiated, partly, declined }

    /// nil if it was not offered, or nobody was connected.
    package var compression: Compression? {
        guard plan.compress, total.opened > 0 else { return nil }
        return total.compressed == 0 ? .declined : total.compressed < total.opened ? .partly : .negotiated
    }

    /// See `LoadPlan.messages(in:)`.
    package var messagesPerSecond: Double { seconds > 0 ? plan.messages(in: counters) / seconds : 0 }

    /// Messages that came to clients.
    package var deliveriesPerSecond: Double { seconds > 0 ? Double(counters.received) / seconds : 0 }

    /// CPU seconds per million deliveries: microseconds per delivery.
    package func perMillion(_ cpu: Double?) -> Double? {
        guard let cpu, counters.received > 0 else { return nil }
        return cpu * 1e6 / Double(counters.received)
    }

    package func value(of figure: Threshold.Figure) -> Double? {
        switch figure {
        case .p50: latency?.p50
        case .p90: latency?.p90
        case .p99: latency?.p99
        case .p999: latency?.p999
        case .p9999: latency?.p9999
        case .max: latency?.max
        case .rate: messagesPerSecond
        case .deliveries: deliveriesPerSecond
        case .errors: Double(total.errors + total.failedConnections)
        case .lost: Double(total.lost)
        case .duplicated: Double(total.duplicated)
        case .outOfOrder: Double(total.late)
        case .unsent: Double(unsent)
        case .serverCPU: perMillion(server?.cpu)
        }
    }
}
