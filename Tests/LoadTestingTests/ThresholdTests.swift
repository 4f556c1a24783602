import LoadTesting
import Testing

@Suite struct ThresholdTests {
    private func result(_ change: (inout LoadResult) -> Void = { _ in }) -> LoadResult {
        var result = LoadResult(plan: LoadPlan(workload: .echo, url: "ws://h"))
        result.seconds = 2
        result.counters.received = 2_000
        change(&result)
        return result
    }

    @Test(arguments: [
        ("p99>20ms", Figure.p99, Threshold.Comparison.above, 20_000.0),
        ("max > 1.5s", .max, .above, 1_500_000),
        ("p50>300us", .p50, .above, 300), ("errors>0", .errors, .above, 0), ("rate<100000", .rate, .below, 100_000),
        ("server_cpu>4.5", .serverCPU, .above, 4.5), ("messages_per_second<1", .rate, .below, 1),
    ])
    func `a threshold is read`(
        text: String, figure: Figure, comparison: Threshold.Comparison, limit: Double
    ) throws {
        let threshold = try Threshold(text)
        #expect(threshold.figure == figure && threshold.comparison == comparison && threshold.limit == limit)
    }

    @Test(arguments: ["", "p99", "p99>", "p99>20", "p98>20ms", "errors>many", "p99=20ms", ">20ms", "p99>20 parsecs"])
    func `what cannot be understood is refused with a sentence`(text: String) {
        let failure = #expect(throws: LoadFailure.self) { try Threshold(text) }
        #expect(failure?.message.hasPrefix("--fail-if") == true)
    }

    @Test func `a threshold is kept up to its limit and crossed beyond it`() throws {
        let threshold = try Threshold("p99>20ms")
        let kept = result { $0.latency = LatencySummary(p99: 20_000) }
        #expect(threshold.violation(by: kept) == nil)
        let crossed = result { $0.latency = LatencySummary(p99: 20_500) }
        #expect(threshold.violation(by: crossed) == "p99>20ms: it was 20.5 ms")
        #expect(try Threshold("rate<1000").violation(by: result()) == nil)
        #expect(try Threshold("rate<1001").violation(by: result()) != nil)
    }

    @Test func `a figure that was not measured crosses its threshold`() throws {
        #expect(try Threshold("server_cpu>100").violation(by: result())?.contains("was not measured") == true)
    }

    @Test func `losses and failed connections count from beginning to end`() throws {
        let lost = result { $0.total.lost = 1 }
        #expect(try Threshold("lost>0").violation(by: lost) != nil)
        let twice = result { ($0.total.duplicated, $0.unsent) = (1, 1) }
        #expect(try Threshold("duplicated>0").violation(by: twice) != nil)
        #expect(try Threshold("unsent>0").violation(by: twice) != nil)
        let failed = result { $0.total.failedConnections = 3 }
        #expect(try Threshold("errors>2").violation(by: failed) != nil)
    }
}
