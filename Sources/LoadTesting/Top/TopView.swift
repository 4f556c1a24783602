/// What `ringcast top` shows: lines of text that follow from two looks at a server, the first of them and now, and from
/// nothing else.
package struct TopView: Sendable {
    /// A look at a server's metrics, and at its topics and its cluster where it tells of them.
    package struct Look: Sendable {
        let page: MetricsPage
        /// Seconds of a clock that never goes back.
        let time: Double
        package let topics: TopicReport?
        let cluster: ClusterReport?

        package init(
            page: MetricsPage, topics: TopicReport? = nil, cluster: ClusterReport? = nil, time: Double
        ) {
            self.page = page
            self.topics = topics
            self.cluster = cluster
            self.time = time
        }
    }

    private let place: String
    private let before: Look
    private let now: Look

    package init(of place: String, before: Look, now: Look) {
        self.place = place
        self.before = before
        self.now = now
    }

    /// The lines, none wider than `columns` and no more than `rows`. Where there are more loops than rows, the busiest
    /// are shown. Nodes get a third of the room at the most; topics what loops leave, or half if that is less.
    package func lines(columns: Int, rows: Int) -> [String] {
        let summary = [title, ""] + figures + drops + cluster + [""]
        var room = max(0, rows - summary.count - 1)
        var nodes: [String] = []
        if let report = now.cluster {
            nodes = report.panel(rows: min(report.wantedRows, room / 3 - 1))
            if !nodes.isEmpty { nodes.insert("", at: 0) }
            room -= nodes.count
        }
        var topics: [String] = []
        if let report = now.topics {
            let share = min(report.wantedRows, max(room / 2, room - self.loops.count) - 1)
            topics = report.panel(columns: columns, rows: share)
            if !topics.isEmpty { topics.insert("", at: 0) }
            room -= topics.count
        }
        let loops = loops.sorted { $0.busy > $1.busy }
        let shown = loops.count > room ? Array(loops.prefix(max(0, room - 1))) : loops
        var lines = summary + [Self.head] + shown.sorted { $0.index < $1.index }.map { Self.row($0) }
        if shown.count < loops.count { lines.append("… and \(loops.count - shown.count) less busy ones") }
        return (lines + nodes + topics).prefix(rows).map { String($0.prefix(columns)) }
    }

    private var title: String {
        let driver = now.page.labels("driver", of: "ringcast_info").first ?? ""
        let count = now.page.labels("loop", of: "ringcast_sockets").count
        return "ringcast top — \(place), \(driver), \(count) loop\(count == 1 ? "" : "s")"
    }

    /// What the node and its engine have to do with each other, where there is a cluster.
    private var cluster: [String] {
        guard let cluster = now.cluster else { return [] }
        return [cluster.line(since: before.cluster ?? cluster, seconds: now.time - before.time)]
    }

    private var figures: [String] {
        let columns: [[(String, String)]] = [
            [
                ("sockets", gauge("ringcast_sockets")), ("messages in", rate("ringcast_messages_received_total")),
                ("messages out", rate("ringcast_messages_sent_total")),
            ],
            [
                ("connections", gauge("ringcast_connections")), ("bytes in", bytes("ringcast_received_bytes_total")),
                ("bytes out", bytes("ringcast_sent_bytes_total")),
            ],
            [
                ("requests wait", gauge("ringcast_pending_requests")),
                ("publishes", rate("ringcast_publishes_total")), ("deliveries", rate("ringcast_deliveries_total")),
            ],
            [
                ("mailboxes", gauge("ringcast_mailbox_depth")), ("upgrades", rate("ringcast_upgrades_total")),
                ("fell behind", rate("ringcast_backpressure_events_total")),
            ],
        ]
        return columns.map { line in
            line.map { Units.padded($0.0, 14) + Self.right($0.1, 12) }.joined(separator: "    ")
        }
    }

    /// What was dropped and refused since the look before, by its reason.
    private var drops: [String] {
        let name = "ringcast_drops_total"
        var parts: [String] = []
        for reason in now.page.labels("reason", of: name) {
            for policy in now.page.labels("policy", of: name) {
                let value = perSecond(name, ["reason": reason, "policy": policy])
                if value > 0 {
                    parts.append("\(reason)\(policy == "none" ? "" : " (\(policy))") \(Units.show(count: value))/s")
                }
            }
        }
        let refusals = now.page.labels("reason", of: "ringcast_upgrades_refused_total").compactMap { reason in
            let value = perSecond("ringcast_upgrades_refused_total", ["reason": reason])
            return value > 0 ? "\(reason) \(Units.show(count: value))/s" : nil
        }
        return [
            Units.padded("drops", 14) + (parts.isEmpty ? "none" : parts.joined(separator: ", ")),
            Units.padded("refused", 14) + (refusals.isEmpty ? "none" : refusals.joined(separator: ", ")),
        ]
    }
}

extension TopView {
    /// One loop, in a line of its own.
    private struct LoopRow {
        let index: Int
        let busy: Double
        let turns: Double
        /// The time that 99 of 100 turns took no longer than, in microseconds; nil where there was none, or too long.
        let slowTurn: Double?
        let sockets, messagesIn, messagesOut, queue: Double
    }

    private var loops: [LoopRow] {
        now.page.labels("loop", of: "ringcast_sockets").map { loop in
            let label = ["loop": loop]
            return LoopRow(
                index: Int(loop) ?? 0, busy: min(1, perSecond("ringcast_loop_cpu_seconds_total", label)),
                turns: perSecond("ringcast_loop_turn_seconds_count", label), slowTurn: slowTurn(of: loop),
                sockets: now.page.sum("ringcast_sockets", where: label),
                messagesIn: perSecond("ringcast_messages_received_total", label),
                messagesOut: perSecond("ringcast_messages_sent_total", label),
                queue: now.page.sum("ringcast_mailbox_depth", where: label))
        }
    }

    private func slowTurn(of loop: String) -> Double? {
        let name = "ringcast_loop_turn_seconds_bucket"
        let all = difference(name, ["loop": loop, "le": "+Inf"])
        guard all > 0 else { return nil }
        for bound in now.page.labels("le", of: name) where bound != "+Inf" {
            guard difference(name, ["loop": loop, "le": bound]) >= all * 0.99 else { continue }
            return Double(bound).map { $0 * 1e6 }
        }
        return .infinity
    }

    private static let head =
        "loop  busy                              turns    p99 turn   sockets      in/s     out/s     queue"

    private static func row(_ loop: LoopRow) -> String {
        let filled = Int((loop.busy * 20).rounded())
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
        let turn = loop.slowTurn.map { $0.isFinite ? "≤ " + Units.show(microseconds: $0) : "> 1 s" } ?? "–"
        let figures = [loop.sockets, loop.messagesIn, loop.messagesOut, loop.queue].map {
            right(Units.show(count: $0), 10)
        }
        return right("\(loop.index)", 4) + "  \(bar) " + right(Units.fixed(loop.busy * 100, 0) + " %", 6)
            + right(Units.show(count: loop.turns) + "/s", 10) + right(turn, 12) + figures.joined()
    }

    private func difference(_ name: String, _ labels: [String: String] = [:]) -> Double {
        max(0, now.page.sum(name, where: labels) - before.page.sum(name, where: labels))
    }

    private func perSecond(_ name: String, _ labels: [String: String] = [:]) -> Double {
        let elapsed = now.time - before.time
        return elapsed > 0 ? difference(name, labels) / elapsed : 0
    }

    private func gauge(_ name: String) -> String { Units.show(count: now.page.sum(name)) }
    private func rate(_ name: String) -> String { Units.show(count: perSecond(name)) + "/s" }
    private func bytes(_ name: String) -> String { Units.show(bytes: perSecond(name)) + "/s" }

    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
