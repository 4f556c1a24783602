extension LoadResult {
    /// What a person wants to read, a line for each thing.
    package var text: String {
        var lines = [headline]
        if plan.workload != .idle {
            lines.append(
                "  \(Units.show(count: messagesPerSecond)) messages/s"
                    + (plan.workload == .echo || plan.workload == .churn
                        ? "" : ", \(Units.show(count: deliveriesPerSecond)) deliveries/s"))
            let percentiles = latency.named.map { "\($0.0) \(Units.show(microseconds: $0.1))" }
            lines.append("  latency: " + percentiles.joined(separator: ", "))
        }
        lines.append(
            "  errors \(total.errors + total.failedConnections), lost \(total.lost), out of order \(total.late)")
        if let firstError { lines.append("  the first error: \(firstError)") }
        if let server { lines += describe(server) }
        if let client, let cpu = perMillion(client.cpu) {
            lines.append("  this tool: \(Units.significant(cpu)) s of CPU per million messages")
        }
        if interrupted { lines.append("  interrupted: this is what was measured until then") }
        return lines.joined(separator: "\n") + "\n"
    }

    private var headline: String {
        "\(plan.workload.rawValue): \(total.opened) connections in \(Units.significant(connectSeconds)) s, "
            + "measured for \(Units.significant(seconds)) s"
    }

    private func describe(_ server: Usage) -> [String] {
        var lines: [String] = []
        if let cpu = perMillion(server.cpu), let user = perMillion(server.user) {
            lines.append(
                "  server: \(Units.significant(cpu)) s of CPU per million messages "
                    + "(user \(Units.significant(user)), system \(Units.significant(cpu - user))), "
                    + "\(server.voluntarySwitches + server.involuntarySwitches) context switches")
        }
        var memory = "  server: \(Units.show(bytes: Double(server.residentAfter))) resident"
        if let each = bytesPerConnection { memory += ", \(Units.show(bytes: each)) per connection" }
        lines.append(memory)
        return lines
    }
}
