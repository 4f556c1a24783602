extension LoadResult {
    /// One object; its keys are a contract (see the README).
    package func json(machine: JSON, versions: JSON) -> JSON {
        var members: [(String, JSON)] = [
            ("workload", .string(plan.workload.rawValue)),
            ("parameters", parameters),
            ("seconds", .figure(seconds)),
            ("messages_per_second", .figure(messagesPerSecond, digits: 1)),
            ("deliveries_per_second", .figure(deliveriesPerSecond, digits: 1)),
            ("server_cpu_seconds_per_million", optional(perMillion(server?.cpu))),
            ("server_cpu_user_seconds_per_million", optional(perMillion(server?.user))),
            ("server_cpu_system_seconds_per_million", optional(perMillion(server?.system))),
            ("client_cpu_seconds_per_million", optional(perMillion(client?.cpu))),
            ("latency_us", .members(LatencySummary.figures.map { ($0.0, figure(latency?[keyPath: $0.1])) })),
            ("errors", count(total.errors + total.failedConnections)),
            ("lost", count(total.lost)),
            ("duplicated", count(total.duplicated)),
            ("out_of_order", count(total.late)),
            ("unsent", count(unsent)),
            ("connections", connections),
        ]
        if let server { members.append(("server", usage(server))) }
        if let client { members.append(("client", usage(client))) }
        if let compression { members.append(("compression", .string(compression.rawValue))) }
        members += [("interrupted", .bool(interrupted)), ("machine", machine), ("versions", versions)]
        if let firstError { members.append(("first_error", .string(firstError))) }
        if let failure { members.append(("failure", .string(failure))) }
        return .members(members)
    }

    private var parameters: JSON {
        var members: [(String, JSON)] = [("url", .string(plan.url)), ("connections", count(plan.totalConnections))]
        if plan.workload.hasPublishers {
            members += [
                ("publish_url", .string(plan.publishURL)), ("publishers", count(plan.publishers)),
                ("subscribers", count(plan.subscribers)), ("window", count(plan.window)),
                ("topics", count(plan.topics)),
            ]
        }
        if plan.workload == .slow { members.append(("stalled", .number(plan.stalled))) }
        members += [
            ("depth", count(plan.depth)), ("size", count(plan.size)),
            ("rate", plan.rate.map { .number($0) } ?? .null), ("duration", .number(plan.measuredSeconds)),
            ("warmup", .number(plan.warmup)), ("text", .bool(plan.isText)), ("compress", .bool(plan.compress)),
            ("loops", count(plan.loops)), ("sources", count(plan.sources)),
        ]
        return .members(members)
    }

    private var connections: JSON {
        .members([
            ("opened", count(total.opened)), ("failed", count(total.failedConnections)),
            ("compressed", count(total.compressed)),
            ("connect_seconds", .figure(connectSeconds)),
            ("resident_bytes_each", optional(bytesPerConnection)),
        ])
    }

    /// What the server's memory grew by for each connection; nil where that was not measured.
    package var bytesPerConnection: Double? {
        guard plan.workload == .idle, let server, total.opened > 0 else { return nil }
        return Double(server.residentAfter - server.residentBefore) / Double(total.opened)
    }

    private func usage(_ usage: Usage) -> JSON {
        .members([
            ("cpu_user_seconds", .figure(usage.user)), ("cpu_system_seconds", .figure(usage.system)),
            ("resident_bytes_before", count(usage.residentBefore)),
            ("resident_bytes_after", count(usage.residentAfter)),
            ("voluntary_context_switches", count(usage.voluntarySwitches)),
            ("involuntary_context_switches", count(usage.involuntarySwitches)),
        ])
    }

    private func figure(_ value: Double?) -> JSON { value.map { .figure($0) } ?? .null }
    private func count(_ value: Int) -> JSON { .number(Double(value)) }
    private func optional(_ value: Double?) -> JSON { value.map { .figure($0, digits: 4) } ?? .null }
}
