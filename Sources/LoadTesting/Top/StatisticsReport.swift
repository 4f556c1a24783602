package import Ringcast

/// What `/stats` tells: every figure in all and per loop, the topics that matter, and the cluster.
package struct StatisticsReport: Encodable {
    private let loops: [ServerStatistics]
    private let topics: TopicReport
    /// Nil where the server is a node of no cluster.
    private let cluster: ClusterReport?

    package init(of server: Server) {
        loops = server.statistics
        topics = TopicReport(of: server)
        cluster = ClusterReport(of: server)
    }

    private struct Figure: Encodable {
        let total: Int
        let perLoop: [Int]

        enum CodingKeys: String, CodingKey {
            case total
            case perLoop = "per_loop"
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: JSON.Key.self)
        try fields.encode(loops.first?.driver?.description ?? "", forKey: "driver")
        for (name, value) in figures { try fields.encode(figure(value), forKey: JSON.Key(stringValue: name)) }
        try fields.encode(drops.mapValues(figure), forKey: "drops")
        try fields.encode(tls.mapValues(figure), forKey: "tls")
        try fields.encode(topics, forKey: "topics")
        try fields.encodeIfPresent(cluster, forKey: "cluster")
    }

    private func figure(_ value: KeyPath<ServerStatistics, Int>) -> Figure {
        let values = loops.map { $0[keyPath: value] }
        return Figure(total: values.reduce(0, +), perLoop: values)
    }

    private var figures: [String: KeyPath<ServerStatistics, Int>] {
        [
            "sockets": \.sockets, "connections": \.connections, "messages_in": \.messagesIn,
            "messages_out": \.messagesOut, "bytes_in": \.bytesIn, "bytes_out": \.bytesOut, "publishes": \.publishes,
            "frames_encoded": \.framesEncoded, "frames_deflated": \.framesDeflated, "deliveries": \.deliveries,
            "send_submissions": \.sendSubmissions, "loop_turns": \.loopTurns, "mailbox_depth": \.mailboxDepth,
        ]
    }

    private var drops: [String: KeyPath<ServerStatistics, Int>] {
        [
            "backpressure_limit": \.dropsAtLimit, "closed": \.dropsClosed, "lane_full": \.dropsInLanes,
            "evicted": \.dropsEvicted, "superseded": \.dropsSuperseded,
        ]
    }

    private var tls: [String: KeyPath<ServerStatistics, Int>] {
        [
            "handshakes": \.handshakes, "resumptions": \.resumptions, "handshake_failures": \.handshakeFailures,
        ]
    }
}
