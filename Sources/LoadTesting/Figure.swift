/// A figure of a result, by the name that JSON, `--fail-if` and reports give it.
package enum Figure: String, CaseIterable, Sendable {
    /// Percentiles of latency, in microseconds.
    case p50, p90, p99, p999, p9999, max
    case rate = "messages_per_second"
    case deliveries = "deliveries_per_second"
    case serverCPU = "server_cpu_seconds_per_million"
    case serverUserCPU = "server_cpu_user_seconds_per_million"
    case serverSystemCPU = "server_cpu_system_seconds_per_million"
    case clientCPU = "client_cpu_seconds_per_million"
    case errors, lost, duplicated
    case outOfOrder = "out_of_order"
    case unsent
    case memoryEach = "resident_bytes_each"

    static let latencies: [Figure] = [.p50, .p90, .p99, .p999, .p9999, .max]

    var isLatency: Bool { Self.latencies.contains(self) }
    var moreIsBetter: Bool { self == .rate || self == .deliveries }

    /// Digits behind the point that a measurement of it is worth.
    var digits: Int {
        switch self {
        case .rate, .deliveries: 1
        case .serverCPU, .serverUserCPU, .serverSystemCPU, .clientCPU, .memoryEach: 4
        default: 3
        }
    }
}

extension LoadResult {
    /// The value of a figure; nil where it was not measured.
    package func value(of figure: Figure) -> Double? {
        switch figure {
        case .p50: latency?.p50
        case .p90: latency?.p90
        case .p99: latency?.p99
        case .p999: latency?.p999
        case .p9999: latency?.p9999
        case .max: latency?.max
        case .rate: messagesPerSecond
        case .deliveries: deliveriesPerSecond
        case .serverCPU: perMillion(server?.cpu)
        case .serverUserCPU: perMillion(server?.user)
        case .serverSystemCPU: perMillion(server?.system)
        case .clientCPU: perMillion(client?.cpu)
        case .errors: Double(total.errors + total.failedConnections)
        case .lost: Double(total.lost)
        case .duplicated: Double(total.duplicated)
        case .outOfOrder: Double(total.late)
        case .unsent: Double(unsent)
        case .memoryEach: bytesPerConnection
        }
    }

    /// The figure as it is written: rounded to what it is worth.
    func written(_ figure: Figure) -> Double? { JSON.figure(value(of: figure), digits: figure.digits) }
}
