package import Ringcast

/// The busiest and the slowest topics of a server, as `/stats` tells of them, and as `ringcast top` reads them.
package struct TopicReport: Codable, Equatable, Sendable {
    package struct Row: Codable, Equatable, Sendable {
        /// Cut to what can be shown: names are up to 1 KiB.
        package let name: String
        package let subscribers: Int
        package let deliveriesPerSecond: Double
        package let behindPerSecond: Double
        package let dropsPerSecond: Double

        enum CodingKeys: String, CodingKey {
            case name, subscribers
            case deliveriesPerSecond = "deliveries_per_second"
            case behindPerSecond = "behind_per_second"
            case dropsPerSecond = "drops_per_second"
        }

        private static let longestName = 128

        init(_ topic: TopicActivity) {
            let name = topic.topic.name
            let shown = name.prefix(utf8Count: Self.longestName)
            self.name = shown.endIndex == name.endIndex ? name : shown + "…"
            subscribers = topic.subscriberCount
            deliveriesPerSecond = Units.rounded(topic.deliveriesPerSecond, 1)
            behindPerSecond = Units.rounded(topic.behindPerSecond, 1)
            dropsPerSecond = Units.rounded(topic.dropsPerSecond, 1)
        }
    }

    package let busiest: [Row]
    package let slowest: [Row]

    package init(of server: Server) {
        busiest = server.busiestTopics().map { Row($0) }
        slowest = server.slowestTopics().map { Row($0) }
    }

    private struct Statistics: Decodable { let topics: TopicReport }

    /// - Parameter statistics: what a server answers at `/stats`; nil if that says nothing of topics.
    package init?(statistics: String) {
        guard let report = try? JSON.value(Statistics.self, in: statistics).topics else { return nil }
        self = report
    }
}

extension TopicReport {
    /// The panel of `ringcast top`, in so many lines at the most; none where there is room for no topic. Names come
    /// last, for they are as wide as others have made them.
    func panel(columns: Int, rows: Int) -> [String] {
        let room = rows - 1
        guard room > 0 else { return [] }
        let busiest = min(Self.wanted(busiest), room - min(Self.wanted(slowest), room / 2))
        let slowest = min(Self.wanted(slowest), room - busiest)
        return [Self.head] + Self.section("busiest", self.busiest, rows: busiest, columns)
            + Self.section("slowest", self.slowest, rows: slowest, columns)
    }

    /// The lines of a panel for which there is room.
    var wantedRows: Int { 1 + Self.wanted(busiest) + Self.wanted(slowest) }

    /// Where there are none, one line says so.
    private static func wanted(_ topics: [Row]) -> Int { max(1, min(shown, topics.count)) }

    /// So many topics of each kind.
    private static let shown = 5
    private static let head = "topics      deliveries      behind     dropped   subscribers   name"

    private static func section(_ title: String, _ topics: [Row], rows: Int, _ columns: Int) -> [String] {
        guard !topics.isEmpty else { return Array(["\(title)   none"].prefix(rows)) }
        return topics.prefix(rows).enumerated().map { index, topic in
            let rates = [(topic.deliveriesPerSecond, 12), (topic.behindPerSecond, 12), (topic.dropsPerSecond, 12)]
            let line =
                Units.padded(index == 0 ? title : "", 10)
                + rates.map { TopView.right(Units.show(count: $0) + "/s", $1) }.joined()
                + TopView.right("\(topic.subscribers)", 14) + "   "
            return line + cut(topic.name.onOneLine, to: columns - line.count)
        }
    }

    /// The beginning of a text that is no wider than so many columns, if what is not ASCII takes two for each scalar.
    private static func cut(_ text: String, to columns: Int) -> String {
        var left = columns
        return String(
            text.prefix { character in
                left -= character.isASCII ? 1 : 2 * character.unicodeScalars.count
                return left >= 0
            })
    }
}
