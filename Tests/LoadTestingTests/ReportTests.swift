import LoadTesting
import Testing

@Suite struct ReportTests {
    private func run(rate: Double, p99: Double) -> JSON {
        .members([
            ("workload", .string("echo")), ("messages_per_second", .number(rate)),
            ("latency_us", .members([("p99", .number(p99))])),
        ])
    }

    @Test func `a result has the keys that are promised`() {
        var result = LoadResult(plan: LoadPlan(workload: .fanout, url: "ws://127.0.0.1:1"))
        result.seconds = 1
        result.counters.received = 1_000_000
        result.server = LoadResult.Usage(from: ProcessSample(), to: ProcessSample())
        let json = result.json(machine: .null, versions: .null)
        for key in [
            "workload", "parameters", "messages_per_second", "deliveries_per_second", "server_cpu_seconds_per_million",
            "server_cpu_user_seconds_per_million", "server_cpu_system_seconds_per_million", "latency_us", "errors",
            "lost", "duplicated", "unsent", "connections",
            "out_of_order", "machine", "versions",
        ] { #expect(json[key] != nil, "\(key)") }
        for key in ["p50", "p90", "p99", "p999", "max"] { #expect(json["latency_us"]?[key] != nil, "\(key)") }
        #expect(JSONParser.parse("\(json)") == json)
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

    @Test func `a report of repeated runs survives being written and read`() throws {
        let report = BenchReport(runs: [run(rate: 100, p99: 5), run(rate: 300, p99: 7), run(rate: 200, p99: 6)])
        let json = try #require(JSONParser.parse("\(report.json)"))
        #expect(Spread(json: json["summary"]?["messages_per_second"]) == Spread([100, 200, 300]))
        #expect(json["summary"]?["p50_us"] == nil)
        #expect(report.text.contains("200 (100 to 300)"))
    }

    @Test func `a comparison tells better, worse, and what is within the spread`() throws {
        let before = BenchReport(runs: [run(rate: 100, p99: 50), run(rate: 110, p99: 60)]).json
        let after = BenchReport(runs: [run(rate: 200, p99: 55), run(rate: 220, p99: 70)]).json
        let text = try BenchReport.compare(before, after)
        #expect(text.contains("×2.000"))
        #expect(text.split(separator: "\n").first { $0.contains("messages_per_second") }?.hasSuffix("better") == true)
        #expect(text.split(separator: "\n").first { $0.contains("p99_us") }?.hasSuffix("within the spread") == true)
        #expect(try BenchReport.compare(after, before).contains("worse"))
    }

    @Test func `files that are no reports, or of other loads, are not compared`() {
        let echo = BenchReport(runs: [run(rate: 1, p99: 1)]).json
        let chat = BenchReport(runs: [.members([("workload", .string("chat"))])]).json
        #expect(throws: LoadFailure.self) { try BenchReport.compare(.null, echo) }
        #expect(throws: LoadFailure.self) { try BenchReport.compare(echo, chat) }
    }

    @Test func `what went wrong in any run is told, and nothing where nothing did`() {
        let sound = run(rate: 1, p99: 1)
        let wrong = JSON.members([
            ("workload", .string("echo")), ("errors", .number(2)), ("lost", .number(3)),
            ("first_error", .string("Oh.")),
        ])
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

    @Test func `text, JSON and the time series count the same messages`() {
        var result = LoadResult(plan: LoadPlan(workload: .echo, url: "ws://h"))
        (result.seconds, result.counters.sent, result.counters.received) = (2, 1_500, 1_400)
        (result.counters.duplicated, result.counters.mismatched) = (300, 100)
        let row = TimeSeries.Row(at: 2, seconds: 2, counters: result.counters, latency: nil, server: nil)
        #expect(result.json(machine: .null, versions: .null)["messages_per_second"]?.number == 500)
        #expect(result.text.contains("  500 messages/s\n"))
        #expect(TimeSeries.line(row, of: result.plan, openConnections: 1).hasPrefix("2.00,1,500.0,700.0,"))
    }

    @Test(arguments: [(0, "declined", "declined"), (3, "partly", "3 of 4"), (4, "negotiated", "below 1 KiB")])
    func `what the server said to compression is told`(compressed: Int, word: String, sentence: String) {
        var plan = LoadPlan(workload: .echo, url: "ws://h")
        plan.compress = true
        var result = LoadResult(plan: plan)
        (result.total.opened, result.total.compressed) = (4, compressed)
        #expect(result.json(machine: .null, versions: .null)["compression"] == .string(word))
        #expect(result.text.contains("  compression: ") && result.text.contains(sentence))
    }

    @Test func `compression that was not offered is not spoken of`() {
        var result = LoadResult(plan: LoadPlan(workload: .echo, url: "ws://h"))
        result.total.opened = 4
        #expect(result.json(machine: .null, versions: .null)["compression"] == nil)
        #expect(!result.text.contains("compression"))
    }

    @Test func `latency that was not measured is null, and no threshold's friend`() throws {
        let result = LoadResult(plan: LoadPlan(workload: .echo, url: "ws://h"))
        #expect(result.json(machine: .null, versions: .null)["latency_us"]?["p99"] == .null)
        #expect(try Threshold("p99>20ms").violation(by: result)?.contains("was not measured") == true)
    }
}
