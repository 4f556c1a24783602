internal import Glibc

/// Collects what workers and the kernel tell, second by second.
struct Sampler {
    private let workers: Workers
    private let pid: Int32?
    /// Since the load began.
    private(set) var total = LoadCounters()
    private(set) var outstanding = 0
    private(set) var failure: String?
    private(set) var lastInterval = LoadCounters()
    private var lastAt: UInt64 = 0

    // While measuring.
    private var isMeasuring = false
    private var start: (at: UInt64, total: LoadCounters) = (0, LoadCounters())
    private var latency = LatencyRecorder()
    private var row = (start: UInt64(0), total: LoadCounters(), latency: LatencyRecorder(), server: ProcessSample?.none)
    private var rows: [TimeSeries.Row] = []

    init(workers: Workers, pid: Int32?) { (self.workers, self.pid) = (workers, pid) }

    /// Asks every worker, and tells what there was since the last time.
    mutating func take() async -> TimeSeries.Row {
        let reports = await workers.perform { $0.report() }
        let before = total
        total = reports.reduce(LoadCounters()) { $0 + $1.counters }
        lastInterval = total - before
        outstanding = reports.reduce(0) { $0 + $1.outstanding }
        failure = failure ?? reports.lazy.compactMap(\.failure).first
        let at = reports.reduce(0) { $0 + $1.at } / UInt64(max(1, reports.count))
        var merged = LatencyRecorder()
        for report in reports { merged.add(report.latency) }
        let interval = TimeSeries.Row(
            at: Double(at) / 1e9, seconds: Double(at - lastAt) / 1e9, counters: total - before, latency: merged.summary,
            server: nil)
        lastAt = at
        if isMeasuring {
            latency.add(merged)
            row.latency.add(merged)
            if at - row.start >= 1_000_000_000 { endRow(at) }
        }
        return interval
    }

    private mutating func beginRow(_ at: UInt64) {
        row = (at, total, LatencyRecorder(), pid.flatMap { ProcessSample.take(of: $0) })
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
        beginRow(at)
    }

    // MARK: the time that counts

    /// From the last `take` on.
    mutating func beginMeasuring() {
        isMeasuring = true
        start = (lastAt, total)
        beginRow(lastAt)
    }

    /// Up to the last `take`.
    mutating func endMeasuring(into result: inout LoadResult) {
        isMeasuring = false
        result.seconds = Double(lastAt - start.at) / 1e9
        result.counters = total - start.total
        result.latency = latency.summary
        result.series = rows
    }

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
