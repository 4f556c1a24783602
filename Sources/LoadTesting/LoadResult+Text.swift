extension LoadResult {
    /// What a person wants to read, a line for each thing.
    package var text: String {
        if interrupted, seconds == 0 {
            return "\(plan.workload.rawValue): interrupted before anything was measured; "
                + "\(total.opened) connections had been opened\n"
        }
        // The failure is told on standard error, and there is nothing else to tell.
        if failure != nil, counters.received == 0, plan.workload != .idle { return "" }
        var lines = [headline]
        if plan.workload != .idle {
            lines.append(
                "  \(Units.show(count: messagesPerSecond)) messages/s"
                    + (plan.workload == .echo || plan.workload == .churn
                        ? "" : ", \(Units.show(count: deliveriesPerSecond)) deliveries/s"))
            lines.append("  latency: " + percentiles)
        }
        lines.append(
            "  errors \(total.errors + total.failedConnections), lost \(total.lost), duplicated \(total.duplicated), "
                + "out of order \(total.late)")
        if unsent > 0 {
            lines.append("  \(unsent) messages were due and not sent: this tool cannot keep up with that --rate here")
        }
        if let compression { lines.append(describe(compression)) }
        if let firstError, failure == nil { lines.append("  the first error: \(firstError)") }
        if let server { lines += describe(server) }
        if let client, let cpu = perMillion(client.cpu) {
            lines.append("  this tool: \(Units.significant(cpu)) s of CPU per million messages")
        }
        if interrupted { lines.append("  interrupted: this is what was measured until then") }
        return lines.joined(separator: "\n") + "\n"
    }

    private var percentiles: String {
        guard latency != nil else { return "nothing was answered" }
        return Figure.latencies.map { "\($0.rawValue) \(Units.show(microseconds: value(of: $0) ?? 0))" }
            .joined(separator: ", ")
    }

    private func describe(_ compression: Compression) -> String {
        switch compression {
        case .declined: "  compression: the server declined it; messages went as they are"
        case .partly: "  compression: agreed on by \(total.compressed) of \(total.opened) connections"
        case .negotiated where plan.size < 1_024 && plan.workload != .mixed:
            "  compression: agreed on; this tool's messages are below 1 KiB and went as they are"
        case .negotiated: "  compression: agreed on"
        }
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
