/// What was measured in each second, and in what was left at the end, as a table of comma-separated values (RFC 4180).
package enum TimeSeries {
    package struct Row: Equatable, Sendable {
        /// Seconds since measuring began, at the row's end.
        package var at: Double
        package var seconds: Double
        package var counters: LoadCounters
        /// Latencies of what came in the row's seconds; nil where nothing came.
        package var latency: LatencySummary?
        package var server: LoadResult.Usage?

        package init(
            at: Double, seconds: Double, counters: LoadCounters, latency: LatencySummary?, server: LoadResult.Usage?
        ) {
            (self.at, self.seconds, self.counters, self.latency, self.server) = (at, seconds, counters, latency, server)
        }
    }

    package static let header =
        "seconds,connections,messages_per_second,deliveries_per_second,p50_us,p99_us,p999_us,max_us,errors,lost,"
        + "server_cpu_user,server_cpu_system,server_resident_bytes"

    /// - Parameter openConnections: how many are open at the row's end, which counters of an interval do not tell.
    package static func line(_ row: Row, of plan: LoadPlan, openConnections: Int) -> String {
        let perSecond = { (count: Double) in Units.fixed(row.seconds > 0 ? count / row.seconds : 0, 1) }
        var cells = [
            Units.fixed(row.at, 2), "\(openConnections)", perSecond(plan.messages(in: row.counters)),
            perSecond(Double(row.counters.received)),
        ]
        let figures: [KeyPath<LatencySummary, Double>] = [\.p50, \.p99, \.p999, \.max]
        cells += figures.map { figure in row.latency.map { Units.fixed($0[keyPath: figure], 1) } ?? "" }
        cells += ["\(row.counters.errors + row.counters.failedConnections)", "\(row.counters.lost)"]
        if let server = row.server {
            cells += [Units.fixed(server.user, 3), Units.fixed(server.system, 3), "\(server.residentAfter)"]
        } else {
            cells += ["", "", ""]
        }
        return cells.joined(separator: ",")
    }

    package static func text(_ rows: [Row], of plan: LoadPlan) -> String {
        var open = 0
        let lines = rows.map { row in
            open += row.counters.open
            return line(row, of: plan, openConnections: open)
        }
        return ([header] + lines).joined(separator: "\n") + "\n"
    }
}
