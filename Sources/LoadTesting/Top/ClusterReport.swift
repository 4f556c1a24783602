package import Ringcast

/// A node of a cluster and the others that it knows, as `/stats` tells of them, and as `ringcast top` reads them.
package struct ClusterReport: Codable, Equatable, Sendable {
    package struct Node: Codable, Equatable, Sendable {
        package let id: String
        package let sockets: Int
        /// Seconds since it was heard.
        package let silence: Double

        enum CodingKeys: String, CodingKey {
            case id, sockets
            case silence = "heard_seconds_ago"
        }
    }

    package let isConnected: Bool
    package let published, received, dropped, disconnects, gaps, historyGaps, topics: Int
    package let roundTrip: Double
    /// The node that tells of all this, and behind it the others by their names.
    package let nodes: [Node]

    enum CodingKeys: String, CodingKey {
        case published, received, dropped, disconnects, gaps, topics, nodes
        case isConnected = "connected"
        case historyGaps = "history_gaps"
        case roundTrip = "round_trip_ms"
    }

    /// Nil where the server is a node of no cluster.
    package init?(of server: Server) {
        guard let cluster = server.clusterStatistics, let id = server.clusterNodeID else { return nil }
        isConnected = cluster.isConnected
        (published, received, dropped) = (cluster.published, cluster.received, cluster.dropped)
        (disconnects, gaps, historyGaps) = (cluster.disconnects, cluster.gaps, cluster.historyGaps)
        topics = cluster.topics
        roundTrip = (cluster.roundTrip ?? .zero) / .milliseconds(1)
        let others = server.clusterPeers.map { peer, silence in
            Node(id: peer.id, sockets: peer.sockets, silence: Units.rounded(silence / .seconds(1), 1))
        }
        nodes = [Node(id: id, sockets: server.pendingWebSockets, silence: 0)] + others.sorted { $0.id < $1.id }
    }

    private struct Statistics: Decodable { let cluster: ClusterReport }

    /// - Parameter statistics: what a server answers at `/stats`; nil if that says nothing of a cluster's nodes.
    package init?(statistics: String) {
        guard let report = try? JSON.value(Statistics.self, in: statistics).cluster else { return nil }
        self = report
    }
}

extension ClusterReport {
    /// The line of `ringcast top` about the node's connection to its engine.
    func line(since before: ClusterReport, seconds: Double) -> String {
        func rate(_ name: String, _ value: KeyPath<ClusterReport, Int>) -> String {
            let change = Double(max(0, self[keyPath: value] - before[keyPath: value]))
            return "\(name) \(Units.show(count: seconds > 0 ? change / seconds : 0))/s"
        }
        let link = isConnected ? "connected, \(Units.show(microseconds: roundTrip * 1_000))" : "away"
        return
            ([Units.padded("cluster", 14) + link]
            + [rate("published", \.published), rate("received", \.received), rate("dropped", \.dropped)]
            + ["topics \(topics)", "gaps \(gaps)"]).joined(separator: "    ")
    }

    /// The panel of `ringcast top`, in so many lines at the most; none where there is room for no node.
    func panel(rows: Int) -> [String] {
        let room = min(rows - 1, Self.shown)
        guard room > 0 else { return [] }
        let isCut = nodes.count > room
        let rows = nodes.prefix(isCut ? room - 1 : room).enumerated().map { index, node in
            Units.padded(node.id.onOneLine, 20) + TopView.right(Units.show(count: Double(node.sockets)), 10)
                + TopView.right(index == 0 ? "this one" : "\(Units.fixed(node.silence, 1)) s ago", 14)
        }
        return [Self.head] + rows + (isCut ? ["… and \(nodes.count - rows.count) more"] : [])
    }

    /// The lines of a panel for which there is room.
    var wantedRows: Int { 1 + min(Self.shown, nodes.count) }

    /// So many nodes.
    private static let shown = 8
    private static let head = "nodes                  sockets         heard"
}
