import Testing

@testable import LoadTesting

/// What `ringcast top` shows follows from two pages of metrics.
@Suite struct TopTests {
    /// A server of so many loops, some time after its start; each loop differs from the others.
    private func page(loops: Int = 2, after seconds: Double, drops: Int = 0) throws -> MetricsPage {
        var text = "# HELP ringcast_info What.\n# TYPE ringcast_info gauge\nringcast_info{driver=\"io_uring\"} 1\n"
        for loop in 0..<loops {
            let label = "{loop=\"\(loop)\"}"
            let turns = Int(seconds) * 1_000
            text += """
                ringcast_sockets\(label) \(100 + loop)
                ringcast_connections\(label) 200
                ringcast_messages_received_total\(label) \(Int(seconds) * 2_000)
                ringcast_messages_sent_total\(label) \(Int(seconds) * 4_000_000)
                ringcast_sent_bytes_total\(label) \(Int(seconds) << 20)
                ringcast_mailbox_depth\(label) \(loop)
                ringcast_loop_cpu_seconds_total\(label) \(seconds * (loops == 2 ? 0.25 : 0.1) * Double(loop + 1))
                ringcast_loop_turn_seconds_bucket{loop="\(loop)",le="1e-05"} \(turns / 2)
                ringcast_loop_turn_seconds_bucket{loop="\(loop)",le="0.0025"} \(turns)
                ringcast_loop_turn_seconds_bucket{loop="\(loop)",le="+Inf"} \(turns)
                ringcast_loop_turn_seconds_count\(label) \(turns)

                """
        }
        text += "ringcast_drops_total{reason=\"limit\",policy=\"drop_newest\"} \(drops)\n"
        text += "ringcast_upgrades_refused_total{reason=\"origin\"} \(drops / 10)\n"
        return try #require(MetricsPage(text))
    }

    private func lines(
        loops: Int = 2, drops: Int = 0, topics: TopicReport? = nil, cluster: [ClusterReport] = [], columns: Int = 200,
        rows: Int = 50
    ) throws -> [String] {
        let before = TopView.Look(page: try page(loops: loops, after: 10), cluster: cluster.first, time: 1_000)
        let now = TopView.Look(
            page: try page(loops: loops, after: 12, drops: drops), topics: topics, cluster: cluster.last, time: 1_002)
        return TopView(of: "here:1", before: before, now: now).lines(columns: columns, rows: rows)
    }

    @Test func `loops stand side by side with their share, turns and queue`() throws {
        let lines = try lines()
        #expect(lines[0] == "ringcast top — here:1, io_uring, 2 loops")
        #expect(lines[lines.count - 3].hasPrefix("loop  busy"))
        #expect(lines[lines.count - 2].hasPrefix("   0  █████░░░░░░░░░░░░░░░   25 %   1.00k/s   ≤ 2.50 ms       100"))
        #expect(lines[lines.count - 1].hasPrefix("   1  ██████████░░░░░░░░░░   50 %"))
        #expect(lines[lines.count - 1].hasSuffix("         1"))
    }

    @Test func `rates are per second, gauges as they are, and all loops together`() throws {
        let text = try lines().joined(separator: "\n")
        #expect(text.contains("messages in        4.00k/s"))
        #expect(text.contains("messages out       8.00M/s"))
        #expect(text.contains("bytes out       2.00 MiB/s"))
        #expect(text.contains("sockets                201"))
        #expect(text.contains("drops         none") && text.contains("refused       none"))
    }

    @Test func `drops and refusals are shown by their reason while they happen`() throws {
        let lines = try lines(drops: 500)
        #expect(lines.contains("drops         limit (drop_newest) 250/s"))
        #expect(lines.contains("refused       origin 25/s"))
    }

    @Test func `a small terminal gets the busiest loops, and no line that is too wide`() throws {
        let lines = try lines(loops: 8, columns: 40, rows: 14)
        #expect(lines.count == 14 && lines.allSatisfy { $0.count <= 40 })
        #expect(lines.last == "… and 5 less busy ones")
        #expect(lines[10].hasPrefix("   5") && lines[12].hasPrefix("   7"))
        #expect(try self.lines(rows: 3).count == 3)
    }

    /// So many busy topics, the second of which is slow, as a server would tell of them.
    private func report(_ names: [String]) throws -> TopicReport {
        let rows = names.enumerated().map { index, name in
            """
            {"name":"\(name)","subscribers":16,"deliveries_per_second":\(45_100 / (index + 1)),
             "behind_per_second":\(index == 1 ? 12.4 : 0),"drops_per_second":\(index == 1 ? 3 : 0)}
            """
        }
        let slowest = rows.dropFirst().prefix(1)
        let lists = "\"busiest\":[\(rows.joined(separator: ","))],\"slowest\":[\(slowest.joined())]"
        return try #require(TopicReport(statistics: "{\"sockets\":{},\"topics\":{\(lists)}}"))
    }

    @Test func `the busiest topics and the slowest stand below the loops`() throws {
        let lines = try lines(topics: try report(["chat", "room/1"]))
        #expect(
            lines.suffix(5) == [
                "",
                "topics      deliveries      behind     dropped   subscribers   name",
                "busiest        45.1k/s         0/s         0/s            16   chat",
                "               22.6k/s        12/s         3/s            16   room/1",
                "slowest        22.6k/s        12/s         3/s            16   room/1",
            ])
        #expect(try self.lines(topics: try report([])).suffix(2) == ["busiest   none", "slowest   none"])
        #expect(try self.lines().allSatisfy { !$0.contains("busiest") })
    }

    @Test func `a topic's name steers no terminal, and is cut by the columns that it takes`() throws {
        let names = ["a\\u001b[2Jb\\n\\u009b\\u202e", "界界界界", "e\\u0301\\u0301\\u0301x", "ab"]
        let lines = try lines(topics: try report(names), columns: 71)
        let steering = lines.flatMap(\.unicodeScalars).filter { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }
        #expect(steering.isEmpty)
        let shown = lines.suffix(5).map { $0.dropFirst(63) }
        #expect(shown == ["a%1B[2Jb", "界界界界", "e\u{301}\u{301}\u{301}", "ab", "界界界界"])
    }

    /// A node that has published so many messages, and knows so many others.
    private func cluster(published: Int, others: Int = 1, isConnected: Bool = true) throws -> ClusterReport {
        let nodes = (0...others).map { index in
            """
            {"id":"000000000000000\(index)","sockets":\(164 - index),"heard_seconds_ago":\(Double(index) * 1.5)}
            """
        }
        return try #require(
            ClusterReport(
                statistics: """
                    {"sockets":{},"cluster":{"connected":\(isConnected),"published":\(published),"received":7,
                     "dropped":0,"disconnects":1,"gaps":1,"history_gaps":0,"topics":12,"round_trip_ms":0.42,
                     "nodes":[\(nodes.joined(separator: ","))]}}
                    """))
    }

    @Test func `the nodes of a cluster stand below the loops, with what goes between them`() throws {
        let reports = [try cluster(published: 100), try cluster(published: 3_100)]
        let lines = try lines(topics: try report(["chat"]), cluster: reports)
        #expect(
            lines.contains(
                "cluster       connected, 420 µs    published 1.50k/s    received 0/s    dropped 0/s    topics 12    "
                    + "gaps 1"))
        let head = try #require(lines.firstIndex { $0.hasPrefix("nodes") })
        #expect(
            lines[(head - 1)...].prefix(4) == [
                "",
                "nodes                  sockets         heard",
                "0000000000000000           164      this one",
                "0000000000000001           163     1.5 s ago",
            ])
        #expect(lines[head + 4].hasPrefix("topics"))
        let away = try self.lines(cluster: [try cluster(published: 0, isConnected: false)])
        #expect(away.contains { $0.hasPrefix("cluster       away    published 0/s") })
        #expect(try self.lines().allSatisfy { !$0.hasPrefix("cluster") && !$0.hasPrefix("nodes") })
    }

    @Test func `many nodes leave room for the loops`() throws {
        let lines = try lines(cluster: [try cluster(published: 0, others: 9)], rows: 36)
        #expect(lines.count { $0.contains("ago") } == 4 && lines.contains("… and 5 more"))
        #expect(lines.count { $0.contains("█") } == 2)
        #expect(ClusterReport(statistics: "{\"cluster\":{\"connected\":true}}") == nil)
    }

    @Test func `where there is little room, loops and topics share it`() throws {
        let lines = try lines(loops: 8, topics: try report((1...8).map { "topic \($0)" }), rows: 20)
        #expect(lines.count == 20)
        #expect(lines.count { $0.contains("█") } == 4 && lines.contains("… and 4 less busy ones"))
        #expect(lines.suffix(4).map { $0.split(separator: " ").last } == ["name", "1", "2", "2"])
        #expect(try self.lines(loops: 8, topics: try report(["a"]), rows: 11).allSatisfy { !$0.contains("busiest") })
    }

    @Test func `a page is read with its labels, and what is none is refused`() throws {
        let page = try #require(
            MetricsPage("# TYPE a gauge\na{x=\"1\",y=\"q\\\"\\\\\\n\"} 2.5\na{x=\"10\"} 1e3 1700000000\nb +Inf\n"))
        #expect(page.sum("a") == 1002.5 && page.sum("a", where: ["x": "1"]) == 2.5)
        #expect(page.labels("x", of: "a") == ["1", "10"] && page.labels("y", of: "a") == ["q\"\\\n"])
        #expect(page.sum("b") == .infinity && page.sum("c") == 0)
        for text in ["", "<html>", "a{x=\"1\" 2", "a{x=1} 2", "a b"] { #expect(MetricsPage(text) == nil, "\(text)") }
    }
}
