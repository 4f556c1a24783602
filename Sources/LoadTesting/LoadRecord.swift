/// What `--json` tells of a load, and where it was measured. Its keys are a contract (docs/load-testing.md).
package struct LoadRecord: Encodable, Sendable {
    package let result: LoadResult
    private let machine: [String: JSON.Scalar]
    private let versions: [String: String]

    package init(result: LoadResult, machine: [String: JSON.Scalar] = [:], versions: [String: String] = [:]) {
        (self.result, self.machine, self.versions) = (result, machine, versions)
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: JSON.Key.self)
        try fields.encode(result.plan.workload.rawValue, forKey: "workload")
        try fields.encode(result.plan.parameters, forKey: "parameters")
        try fields.encode(JSON.figure(result.seconds), forKey: "seconds")
        var latencies = fields.nestedContainer(keyedBy: JSON.Key.self, forKey: "latency_us")
        for figure in Figure.allCases where figure != .memoryEach {
            let (value, key) = (result.written(figure), JSON.Key(stringValue: figure.rawValue))
            try figure.isLatency ? latencies.encode(value, forKey: key) : fields.encode(value, forKey: key)
        }
        try fields.encode(connections, forKey: "connections")
        try fields.encodeIfPresent(result.server.map(Self.usage), forKey: "server")
        try fields.encodeIfPresent(result.client.map(Self.usage), forKey: "client")
        try fields.encodeIfPresent(result.compression?.rawValue, forKey: "compression")
        try fields.encode(result.interrupted, forKey: "interrupted")
        try fields.encode(machine, forKey: "machine")
        try fields.encode(versions, forKey: "versions")
        try fields.encodeIfPresent(result.firstError, forKey: "first_error")
        try fields.encodeIfPresent(result.failure, forKey: "failure")
    }

    private var connections: [String: Double?] {
        [
            "opened": Double(result.total.opened), "failed": Double(result.total.failedConnections),
            "compressed": Double(result.total.compressed), "connect_seconds": JSON.figure(result.connectSeconds),
            Figure.memoryEach.rawValue: result.written(.memoryEach),
        ]
    }

    private static func usage(_ usage: LoadResult.Usage) -> [String: Double?] {
        [
            "cpu_user_seconds": JSON.figure(usage.user), "cpu_system_seconds": JSON.figure(usage.system),
            "resident_bytes_before": Double(usage.residentBefore),
            "resident_bytes_after": Double(usage.residentAfter),
            "voluntary_context_switches": Double(usage.voluntarySwitches),
            "involuntary_context_switches": Double(usage.involuntarySwitches),
        ]
    }
}

extension LoadPlan {
    /// What a result tells of its plan.
    var parameters: [String: JSON.Scalar] {
        func count(_ value: Int) -> JSON.Scalar { .number(Double(value)) }
        var parameters: [String: JSON.Scalar] = [
            "url": .text(url), "connections": count(totalConnections), "depth": count(depth), "size": count(size),
            "rate": rate.map { .number($0) } ?? .null, "duration": .number(measuredSeconds),
            "warmup": .number(warmup), "text": .flag(isText), "compress": .flag(compress), "loops": count(loops),
            "sources": count(sources),
        ]
        if workload == .slow { parameters["stalled"] = .number(stalled) }
        guard workload.hasPublishers else { return parameters }
        let more: [String: JSON.Scalar] = [
            "publish_url": .text(publishURL), "publishers": count(publishers), "subscribers": count(subscribers),
            "window": count(window), "topics": count(topics),
        ]
        return parameters.merging(more) { first, _ in first }
    }
}
