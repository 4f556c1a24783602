/// What a load has measured.
package struct LoadResult: Sendable {
    package let plan: LoadPlan
    /// Seconds that were measured: less than planned if it was interrupted.
    package var seconds = 0.0
    /// What was counted in the measured seconds.
    package var counters = LoadCounters()
    /// Latencies of the messages that were to be sent in the measured seconds; nil where none of them was answered.
    package var latency: LatencySummary?
    /// What was counted from beginning to end: losses that show only at the end, and connections that failed.
    package var total = LoadCounters()
    /// Messages of a schedule (`--rate`) that were due and never sent, since this tool could not keep up.
    package var unsent = 0
    /// Seconds until every connection was open.
    package var connectSeconds = 0.0
    /// What the server's process has used; nil where it is not watched.
    package var server: Usage?
    /// What this process has used: the tool's own share.
    package var client: Usage?
    package var series: [TimeSeries.Row] = []
    package var interrupted = false
    /// What went wrong first, in a sentence.
    package var firstError: String?
    /// What ended the load early, in a sentence.
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

    /// What the servers said; nil where compression was not offered, or nobody was connected.
    package var compression: Compression? {
        guard plan.compress, total.opened > 0 else { return nil }
        return total.compressed == 0 ? .declined : total.compressed < total.opened ? .partly : .negotiated
    }

    /// See `LoadPlan.messages(in:)`.
    package var messagesPerSecond: Double { seconds > 0 ? plan.messages(in: counters) / seconds : 0 }

    /// Messages that came to clients.
    package var deliveriesPerSecond: Double { seconds > 0 ? Double(counters.received) / seconds : 0 }

    /// CPU seconds per million deliveries, which is microseconds each; nil where nothing was delivered.
    package func perMillion(_ cpu: Double?) -> Double? {
        guard let cpu, counters.received > 0 else { return nil }
        return cpu * 1e6 / Double(counters.received)
    }

    /// What the server's memory grew by for each connection (idle); nil where that was not measured.
    package var bytesPerConnection: Double? {
        guard plan.workload == .idle, let server, total.opened > 0 else { return nil }
        return Double(server.residentAfter - server.residentBefore) / Double(total.opened)
    }
}
