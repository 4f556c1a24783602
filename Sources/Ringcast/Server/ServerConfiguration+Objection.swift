extension ServerConfiguration {
    /// What makes no sense in the configuration, in one sentence, if anything does.
    var objection: String? {
        limits.objection ?? events.objection ?? http2?.objection ?? stop.objection ?? clusterObjection
    }
}

extension ServerLimits {
    var objection: String? {
        let times = [
            ("limits.headTimeout", headTimeout), ("limits.bodyTimeout", bodyTimeout),
            ("limits.keepAliveTimeout", keepAliveTimeout), ("limits.deferredReplyTimeout", deferredReplyTimeout),
            ("limits.writeStallTimeout", writeStallTimeout),
        ]
        if let objection = Duration.objection(to: times) { return objection }
        let positive = [("headBytes", headBytes), ("headerFields", headerFields), ("targetBytes", targetBytes)]
        for (name, count) in positive where count <= 0 { return "limits.\(name) is \(count): it must be positive" }
        let others = [
            ("bodyBytes", bodyBytes), ("topicsPerSocket", topicsPerSocket), ("retainedTopics", retainedTopics),
            ("retainedBytes", retainedBytes), ("historyBytes", historyBytes), ("presencePerTopic", presencePerTopic),
            ("connections", connections ?? 0), ("connectionsPerAddress", connectionsPerAddress ?? 0),
        ]
        for (name, count) in others where count < 0 { return "limits.\(name) is \(count): it cannot be negative" }
        return nil
    }
}

extension StopTiming {
    var objection: String? { Duration.objection(to: [("stop.window", window), ("stop.deadline", deadline)]) }
}
