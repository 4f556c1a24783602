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

    private func lines(loops: Int = 2, drops: Int = 0, columns: Int = 200, rows: Int = 50) throws -> [String] {
        let before = TopView.Look(page: try page(loops: loops, after: 10), time: 1_000)
        let now = TopView.Look(page: try page(loops: loops, after: 12, drops: drops), time: 1_002)
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

    @Test func `a page is read with its labels, and what is none is refused`() throws {
        let page = try #require(
            MetricsPage("# TYPE a gauge\na{x=\"1\",y=\"q\\\"\\\\\\n\"} 2.5\na{x=\"10\"} 1e3 1700000000\nb +Inf\n"))
        #expect(page.sum("a") == 1002.5 && page.sum("a", where: ["x": "1"]) == 2.5)
        #expect(page.labels("x", of: "a") == ["1", "10"] && page.labels("y", of: "a") == ["q\"\\\n"])
        #expect(page.sum("b") == .infinity && page.sum("c") == 0)
        for text in ["", "<html>", "a{x=\"1\" 2", "a{x=1} 2", "a b"] { #expect(MetricsPage(text) == nil, "\(text)") }
    }
}
