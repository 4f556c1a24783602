import Reactor
import Synchronization

/// What a server has to do with other nodes, since it was made.
public struct ClusterStatistics: Hashable, Sendable {
    /// Whether the engine takes messages now.
    public let isConnected: Bool
    /// Messages published here for other nodes, those that were dropped among them.
    public let published: Int
    /// Messages of other nodes that came.
    public let received: Int
    /// Messages for other nodes that were given up: there was no room, or the connection ended over them. What nodes
    /// say to each other by themselves is among them.
    public let dropped: Int
    /// Times that the engine went away after it had been there.
    public let disconnects: Int
    /// Times that it came back and messages of other nodes may be missing.
    public let gaps: Int
    /// Times that messages of a topic with history were lost to the subscribers here.
    public let historyGaps: Int
    /// Topics that the engine is to send: those with subscribers here.
    public let topics: Int
    /// How long the engine took to answer last; nil before the first answer.
    public let roundTrip: Duration?
}

extension Server {
    /// The server's name in its cluster; nil where it is a node of none.
    public var clusterNodeID: String? { core.cluster?.node.id }

    /// What the server has to do with other nodes; nil where it is none of a cluster. Costs a lock. Any thread.
    public var clusterStatistics: ClusterStatistics? { core.cluster?.node.statistics }
}

/// What a node counts. Any thread.
final class ClusterCounters: Sendable {
    let published = Atomic(0)
    let received = Atomic(0)
    let dropped = Atomic(0)
    let disconnects = Atomic(0)
    let gaps = Atomic(0)
    let historyGaps = Atomic(0)
    /// Bytes of histories' messages that wait for their home loops.
    let waitingHistory = Atomic(0)
    /// Microseconds; -1 before the engine has answered.
    let roundTrip = Atomic(-1)
}

extension ClusterNode {
    var statistics: ClusterStatistics {
        let roundTrip = counters.roundTrip.load(ordering: .relaxed)
        return ClusterStatistics(
            isConnected: isConnected,
            published: counters.published.load(ordering: .relaxed),
            received: counters.received.load(ordering: .relaxed), dropped: counters.dropped.load(ordering: .relaxed),
            disconnects: counters.disconnects.load(ordering: .relaxed), gaps: counters.gaps.load(ordering: .relaxed),
            historyGaps: counters.historyGaps.load(ordering: .relaxed), topics: interest.count,
            roundTrip: roundTrip < 0 ? nil : .microseconds(roundTrip))
    }
}

extension ClusterStatistics {
    /// The metrics of a node; docs/metrics.md has the list.
    var metrics: [MetricFamily] {
        func counter(_ name: String, _ help: String, _ value: Int) -> MetricFamily {
            MetricFamily(name, .counter, help, samples: [.init(.integer(value))])
        }
        func gauge(_ name: String, _ help: String, _ value: MetricFamily.Value) -> MetricFamily {
            MetricFamily(name, .gauge, help, samples: [.init(value)])
        }
        return [
            gauge("ringcast_cluster_connected", "Whether the engine takes messages.", .integer(isConnected ? 1 : 0)),
            counter("ringcast_cluster_published_total", "Messages published for other nodes.", published),
            counter("ringcast_cluster_received_total", "Messages of other nodes that came.", received),
            counter("ringcast_cluster_dropped_total", "Messages for other nodes that were given up.", dropped),
            counter("ringcast_cluster_disconnects_total", "Times that the engine went away.", disconnects),
            counter("ringcast_cluster_gaps_total", "Times that messages of other nodes may be missing.", gaps),
            counter(
                "ringcast_cluster_history_gaps_total", "Times that a topic with history lost messages.", historyGaps),
            gauge("ringcast_cluster_topics", "Topics that the engine is to send.", .integer(topics)),
            gauge(
                "ringcast_cluster_round_trip_seconds", "How long the engine took to answer last; 0 before it has.",
                .number((roundTrip ?? .zero) / .seconds(1))),
        ]
    }
}
