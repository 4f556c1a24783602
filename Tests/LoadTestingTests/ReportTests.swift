import Foundation
import LoadTesting
import Testing

@Suite struct ReportTests {
    private func run(
        _ workload: Workload = .echo, rate: Int, p99: Double = 1, _ change: (inout LoadResult) -> Void = { _ in }
    ) -> LoadRecord {
        var result = LoadResult(plan: LoadPlan(workload: workload, url: "ws://127.0.0.1:1"))
        (result.seconds, result.counters.received) = (1, rate)
        result.latency = LatencySummary(p99: p99)
        change(&result)
        return LoadRecord(result: result)
    }

    private func object(_ value: some Encodable) throws -> [String: Any] {
        let text = try JSON.text(value)
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    /// What `--compare` says of two reports, written and read again.
    private func compare(_ a: some Encodable, _ b: some Encodable) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ringcast-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try zip(["a.json", "b.json"], [JSON.text(a), JSON.text(b)]).map { name, text in
            let file = folder.appending(path: name)
            try Data((text + "\n").utf8).write(to: file)
            return try BenchFile(path: file.path)
        }
        return try BenchFile.compare(files[0], files[1])
    }

    @Test func `a result has the keys that are promised`() throws {
        let record = run(.fanout, rate: 1_000_000) {
            $0.server = LoadResult.Usage(from: ProcessSample(), to: ProcessSample())
        }
        let json = try object(record)
        for key in [
            "workload", "parameters", "messages_per_second", "deliveries_per_second", "server_cpu_seconds_per_million",
            "server_cpu_user_seconds_per_million", "server_cpu_system_seconds_per_million", "latency_us", "errors",
            "lost", "duplicated", "unsent", "connections", "client_cpu_seconds_per_million", "seconds", "server",
            "interrupted", "out_of_order", "machine", "versions",
        ] { #expect(json[key] != nil, "\(key)") }
        let latency = json["latency_us"] as? [String: Any]
        for key in ["p50", "p90", "p99", "p999", "p9999", "max"] { #expect(latency?[key] != nil, "\(key)") }
        let parameters = json["parameters"] as? [String: Any]
        for key in ["url", "publish_url", "subscribers", "window", "topics", "size", "loops"] {
            #expect(parameters?[key] != nil, "\(key)")
        }
        #expect(parameters?["rate"] is NSNull && parameters?["stalled"] == nil && json["first_error"] == nil)
    }

    @Test func `CPU is told per million deliveries, and not where nothing came`() {
        var result = LoadResult(plan: LoadPlan(workload: .echo, url: "ws://h"))
        var last = ProcessSample()
        (last.user, last.system) = (1, 3)
        result.server = LoadResult.Usage(from: ProcessSample(), to: last)
        #expect(result.perMillion(result.server?.cpu) == nil)
        result.counters.received = 2_000_000
        #expect(result.perMillion(result.server?.cpu) == 2)
        #expect(result.perMillion(result.server?.user) == 0.5)
    }

    @Test func `medians and spreads`() {
        #expect(Spread([]) == nil)
        #expect(Spread([3, 1, 2]).map { [$0.least, $0.median, $0.most] } == [1, 2, 3])
        #expect(Spread([4, 1, 2, 3])?.median == 2.5)
    }

    @Test func `a report of repeated runs has their medians, and all of them`() throws {
        let report = BenchReport(runs: [run(rate: 100, p99: 5), run(rate: 300, p99: 7), run(rate: 200, p99: 6)])
        let json = try object(report)
        let summary = try #require(json["summary"] as? [String: [String: Double]])
        #expect(summary["messages_per_second"] == ["median": 200, "min": 100, "max": 300])
        #expect(summary["p99_us"]?["median"] == 6 && summary["server_cpu_seconds_per_million"] == nil)
        #expect(json["repeats"] as? Int == 3 && (json["runs"] as? [Any])?.count == 3)
        #expect(report.text.contains("200 (100 to 300)"))
    }

    @Test func `spreads that touch overlap`() throws {
        let (low, high) = (try #require(Spread([1, 2])), try #require(Spread([2, 3])))
        #expect(low.overlaps(high) && high.overlaps(low))
    }

    @Test func `a comparison tells better, worse, and what is within the spread`() throws {
        let before = BenchReport(runs: [run(rate: 100, p99: 50), run(rate: 110, p99: 60)])
        let after = BenchReport(runs: [run(rate: 200, p99: 55), run(rate: 220, p99: 70)])
        let text = try compare(before, after)
        #expect(text.contains("×2.000"))
        #expect(text.split(separator: "\n").first { $0.contains("messages_per_second") }?.hasSuffix("better") == true)
        #expect(text.split(separator: "\n").first { $0.contains("p99_us") }?.hasSuffix("within the spread") == true)
        #expect(try compare(after, before).contains("worse"))
    }

    @Test func `parameters that differ are named, and the port is none of them`() throws {
        func report(_ port: Int, depth: Int) -> BenchReport {
            var plan = LoadPlan(workload: .echo, url: "ws://127.0.0.1:\(port)")
            plan.depth = depth
            var result = LoadResult(plan: plan)
            (result.seconds, result.counters.received) = (1, 10)
            return BenchReport(runs: [LoadRecord(result: result)])
        }
        #expect(try !compare(report(1, depth: 1), report(2, depth: 1)).contains("differ"))
        #expect(try compare(report(1, depth: 1), report(2, depth: 4)).hasSuffix("  note: parameters differ: depth\n"))
    }

    @Test func `files that are no reports, or of other loads, are not compared`() throws {
        let (echo, chat) = (BenchReport(runs: [run(rate: 1)]), BenchReport(runs: [run(.chat, rate: 1)]))
        let noReport = #expect(throws: LoadFailure.self) { try compare(run(rate: 1), echo) }
        #expect(noReport?.message.contains("a.json has no 'summary': --compare takes two files") == true)
        let others = #expect(throws: LoadFailure.self) { try compare(echo, chat) }
        #expect(others?.message.contains("echo and chat") == true)
        let missing = #expect(throws: LoadFailure.self) { try BenchFile(path: "/nothing/there.json") }
        #expect(missing?.message == "/nothing/there.json cannot be read")
    }

    @Test func `what went wrong in any run is told, and nothing where nothing did`() {
        let sound = run(rate: 1)
        let wrong = run(rate: 1) { ($0.total.errors, $0.total.lost, $0.firstError) = (2, 3, "Oh.") }
        #expect(!BenchReport(runs: [sound]).text.contains("in all runs"))
        let text = BenchReport(runs: [sound, wrong, wrong]).text
        #expect(text.contains("in all runs: errors 4, lost 6\n") && text.contains("the first error: Oh.\n"))
    }

    @Test func `the time series has as many cells as its header`() {
        let plan = LoadPlan(workload: .echo, url: "ws://h")
        for latency in [LatencySummary(), nil] {
            let row = TimeSeries.Row(at: 1, seconds: 1, counters: LoadCounters(), latency: latency, server: nil)
            let lines = TimeSeries.text([row, row], of: plan).split(separator: "\n")
            #expect(lines.count == 3)
            for line in lines {
                #expect(line.split(separator: ",", omittingEmptySubsequences: false).count == 13)
            }
        }
    }

    @Test func `text, JSON and the time series count the same messages`() throws {
        var result = LoadResult(plan: LoadPlan(workload: .echo, url: "ws://h"))
        (result.seconds, result.counters.sent, result.counters.received) = (2, 1_500, 1_400)
        (result.counters.duplicated, result.counters.mismatched) = (300, 100)
        let row = TimeSeries.Row(at: 2, seconds: 2, counters: result.counters, latency: nil, server: nil)
        #expect(try object(LoadRecord(result: result))["messages_per_second"] as? Double == 500)
        #expect(result.text.contains("  500 messages/s\n"))
        #expect(TimeSeries.line(row, of: result.plan, openConnections: 1).hasPrefix("2.00,1,500.0,700.0,"))
    }

    @Test(arguments: [(0, "declined", "declined"), (3, "partly", "3 of 4"), (4, "negotiated", "below 1 KiB")])
    func `what the server said to compression is told`(compressed: Int, word: String, sentence: String) throws {
        var plan = LoadPlan(workload: .echo, url: "ws://h")
        plan.compress = true
        var result = LoadResult(plan: plan)
        (result.total.opened, result.total.compressed) = (4, compressed)
        #expect(try object(LoadRecord(result: result))["compression"] as? String == word)
        #expect(result.text.contains("  compression: ") && result.text.contains(sentence))
    }

    @Test func `compression that was not offered is not spoken of`() throws {
        var result = LoadResult(plan: LoadPlan(workload: .echo, url: "ws://h"))
        result.total.opened = 4
        #expect(try object(LoadRecord(result: result))["compression"] == nil)
        #expect(!result.text.contains("compression"))
    }

    @Test func `latency that was not measured is null, and no threshold's friend`() throws {
        let result = LoadResult(plan: LoadPlan(workload: .echo, url: "ws://h"))
        let latency = try object(LoadRecord(result: result))["latency_us"] as? [String: Any]
        #expect(latency?["p99"] is NSNull)
        #expect(try Threshold("p99>20ms").violation(by: result)?.contains("was not measured") == true)
    }
}
