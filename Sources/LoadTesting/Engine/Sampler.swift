internal import Glibc

/// Collects what workers and the kernel tell, second by second.
struct Sampler {
    private let workers: Workers
    private let pid: Int32?
    /// Counts since the load began.
    private(set) var total = LoadCounters()
    private(set) var outstanding = 0
    private(set) var failure: String?
    private(set) var lastInterval = LoadCounters()
    /// How many samples in a row have shown trouble and no message.
    private(set) var failingSteps = 0
    private var lastAt: UInt64 = 0

    // While measuring.
    private var isMeasuring = false
    private var hasMeasured = false
    private var start: (at: UInt64, total: LoadCounters) = (0, LoadCounters())
    private var recorder = LatencyRecorder()
    private var row = OpenRow()
    private var lastRow = OpenRow()
    private var rows: [TimeSeries.Row] = []

    /// What a row began with, and what has come since.
    private struct OpenRow {
        var start: UInt64 = 0
        var total = LoadCounters()
        var latency = LatencyRecorder()
        var server: ProcessSample?
    }

    init(workers: Workers, pid: Int32?) { (self.workers, self.pid) = (workers, pid) }

    /// Asks every worker, and returns what has happened since the last sample.
    mutating func take() async -> TimeSeries.Row {
        let reports = await workers.perform { $0.report() }
        let before = total
        total = reports.reduce(LoadCounters()) { $0 + $1.counters }
        lastInterval = total - before
        let troubles = lastInterval.failedConnections + lastInterval.errors
        if lastInterval.received > 0 { failingSteps = 0 } else if troubles > 0 { failingSteps += 1 }
        outstanding = reports.reduce(0) { $0 + $1.outstanding }
        failure = failure ?? reports.lazy.compactMap(\.failure).first
        let at = reports.reduce(0) { $0 + $1.at } / UInt64(max(1, reports.count))
        var merged = LatencyRecorder()
        for report in reports { merged.add(report.latency) }
        let interval = TimeSeries.Row(
            at: Double(at) / 1e9, seconds: Double(at - lastAt) / 1e9, counters: total - before, latency: merged.summary,
            server: nil)
        lastAt = at
        // A message that was to be sent while measuring counts though it comes later.
        if hasMeasured { recorder.add(merged) }
        if isMeasuring {
            row.latency.add(merged)
            if at - row.start >= 1_000_000_000 { endRow(at) }
        }
        return interval
    }

    /// Whether the last sample was taken more than a millisecond before this moment.
    func isBehind(_ moment: UInt64) -> Bool { lastAt + 1_000_000 < moment }

    private mutating func beginRow(_ at: UInt64) {
        row = OpenRow(start: at, total: total, server: pid.flatMap { ProcessSample.take(of: $0) })
    }

    private mutating func endRow(_ at: UInt64) {
        let server = pid.flatMap { ProcessSample.take(of: $0) }
        let usage = row.server.flatMap { first in server.map { LoadResult.Usage(from: first, to: $0) } }
        var counters = total - row.total
        if rows.isEmpty { counters.open = total.open }
        rows.append(
            TimeSeries.Row(
                at: Double(at - start.at) / 1e9, seconds: Double(at - row.start) / 1e9, counters: counters,
                latency: row.latency.summary, server: usage))
        lastRow = row
        beginRow(at)
    }

    /// Ends the last row, which is shorter than a second; less than a tenth of one is added to the row before.
    private mutating func endLastRow() {
        if lastAt - row.start < 100_000_000, !rows.isEmpty {
            rows.removeLast()
            lastRow.latency.add(row.latency)
            row = lastRow
        }
        if lastAt > row.start { endRow(lastAt) }
    }

    // MARK: time that counts

    /// The time that counts begins at the last sample.
    mutating func beginMeasuring() {
        isMeasuring = true
        hasMeasured = true
        start = (lastAt, total)
        beginRow(lastAt)
    }

    /// The time that counts ends at the last sample.
    mutating func endMeasuring(into result: inout LoadResult) {
        endLastRow()
        isMeasuring = false
        result.seconds = Double(lastAt - start.at) / 1e9
        result.counters = total - start.total
        result.series = rows
    }

    /// Latencies of messages that were to be sent in the time that counts; nil where none has come.
    var latency: LatencySummary? { recorder.summary }

    // MARK: processes

    func beginServerSample() -> ProcessSample? { pid.flatMap { ProcessSample.take(of: $0) } }

    func endServerSample(from first: ProcessSample?) -> LoadResult.Usage? {
        guard let first, let last = beginServerSample() else { return nil }
        return LoadResult.Usage(from: first, to: last)
    }

    func beginClientSample() -> ProcessSample { ProcessSample.take(of: getpid()) ?? ProcessSample() }

    func endClientSample(from first: ProcessSample) -> LoadResult.Usage {
        LoadResult.Usage(from: first, to: beginClientSample())
    }
}
