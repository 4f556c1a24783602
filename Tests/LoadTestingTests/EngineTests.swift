import Ringcast
import Testing

@testable import LoadTesting

/// Loads against a server in the same process. What is measured does not matter here; what is counted does.
@Suite(.serialized, .timeLimit(.minutes(5))) struct EngineTests {
    private func plan(_ workload: Workload, _ url: String, _ change: (inout LoadPlan) -> Void = { _ in }) -> LoadPlan {
        var plan = LoadPlan(workload: workload, url: url)
        (plan.connections, plan.subscribers, plan.duration, plan.warmup, plan.pinsThreads) = (8, 12, 0.5, 0.05, false)
        plan.isText = workload == .chat
        change(&plan)
        return plan
    }

    private func expectSound(_ result: LoadResult) {
        #expect(result.failure == nil && result.counters.received > 0)
        #expect(result.total.errors == 0 && result.total.failedConnections == 0, "\(result.firstError ?? "")")
        #expect(result.total.lost == 0 && result.total.late == 0)
        #expect(result.latency.map { $0.p50 > 0 && $0.max >= $0.p50 } == true)
    }

    @Test(arguments: [(1, 20, 1), (4, 5, 1), (1, 5_000, 2)])
    func `every echo comes back once, in order`(depth: Int, size: Int, loops: Int) async throws {
        try await TestServer.run { url in
            let result = try await LoadEngine(
                plan: plan(.echo, url) { ($0.depth, $0.size, $0.loops) = (depth, size, loops) }
            ).run()
            expectSound(result)
            #expect(result.total.sent == result.total.received && result.total.opened == 8)
        }
    }

    @Test func `an open loop sends as many as the rate says`() async throws {
        try await TestServer.run { url in
            let result = try await LoadEngine(
                plan: plan(.echo, url) { ($0.rate, $0.duration, $0.loops) = (1_000, 1, 2) }
            ).run()
            expectSound(result)
            // What a busy machine holds up is made up for: only a wrong schedule is far off.
            #expect(abs(Double(result.counters.sent) / result.seconds - 1_000) < 300)
        }
    }

    @Test func `loops without a connection take part in an open loop`() async throws {
        try await TestServer.run { url in
            let result = try await LoadEngine(
                plan: plan(.echo, url) { ($0.connections, $0.rate, $0.loops) = (1, 200, 3) }
            ).run()
            expectSound(result)
        }
    }

    @Test func `what the server says to compression is counted`() async throws {
        try await TestServer.run { url in
            for (path, answer) in [("/echo", LoadResult.Compression.declined), ("/deflated", .negotiated)] {
                let result = try await LoadEngine(
                    plan: plan(.echo, url + path) { ($0.compress, $0.size, $0.isText) = (true, 3_000, true) }
                ).run()
                expectSound(result)
                #expect(result.compression == answer)
            }
        }
    }

    @Test(arguments: [1, 2])
    func `everyone of a chat hears everyone`(loops: Int) async throws {
        try await TestServer.run { url in
            let result = try await LoadEngine(
                plan: plan(.chat, url) { ($0.connections, $0.loops, $0.duration) = (3, loops, 1) }
            ).run()
            expectSound(result)
            #expect(result.total.received == result.total.sent * 3)
        }
    }

    @Test(arguments: [(1, 1, 1), (3, 2, 2), (2, 1, 2)])
    func `every subscriber hears every publish of its topic`(publishers: Int, topics: Int, loops: Int) async throws {
        try await TestServer.run { url in
            let result = try await LoadEngine(
                plan: plan(.fanout, url) { ($0.publishers, $0.topics, $0.loops) = (publishers, topics, loops) }
            ).run()
            expectSound(result)
            #expect(result.total.received == result.total.sent * 12 / topics)
        }
    }

    @Test func `subscribers that do not read hold nobody up`() async throws {
        try await TestServer.run { url in
            let result = try await LoadEngine(plan: plan(.slow, url) { $0.stalled = 0.5 }).run()
            expectSound(result)
            #expect(result.total.received == result.total.sent * 6)
        }
    }

    @Test(arguments: [nil, 200.0])
    func `connections come and go`(rate: Double?) async throws {
        try await TestServer.run { url in
            let result = try await LoadEngine(plan: plan(.churn, url) { ($0.rate, $0.sources) = (rate, 3) }).run()
            expectSound(result)
            #expect(result.total.opened == result.total.closed && result.total.open == 0)
        }
    }

    @Test func `idle connections stay`() async throws {
        try await TestServer.run { url in
            let result = try await LoadEngine(plan: plan(.idle, url) { $0.connectRate = 400 }).run()
            #expect(result.total.opened == 8 && result.total.open == 8 && result.failure == nil)
        }
    }

    @Test func `users of a scenario come, talk and go`() async throws {
        let scenario = try Scenario.parse(
            """
            path /echo 80
            path /publish/{topic} 20 quiet
            size 0..200
            phase up
                duration 1000ms
                users 0 -> 20
                think 1ms..5ms
            phase down
                duration 1000ms
                users 20 -> 5
            """)
        try await TestServer.run { url in
            let result = try await LoadEngine(plan: plan(.mixed, url) { ($0.scenario, $0.warmup) = (scenario, 0) })
                .run()
            expectSound(result)
            #expect(result.total.opened >= 15 && result.total.closed >= 5)
        }
    }

    @Test func `a load that is stopped tells what it has measured`() async throws {
        try await TestServer.run { url in
            let control = LoadControl()
            let engine = LoadEngine(plan: plan(.echo, url) { $0.duration = 3_600 }, control: control) { phase, row, _ in
                if case .measuring = phase, row.counters.received > 0 { control.stop() }
            }
            let result = try await engine.run()
            expectSound(result)
            #expect(result.interrupted && result.seconds < 3_600)
        }
    }

    @Test func `the series has a row per second`() async throws {
        try await TestServer.run { url in
            let result = try await LoadEngine(plan: plan(.echo, url) { $0.duration = 2.2 }).run()
            #expect(1...3 ~= result.series.count)
            #expect(result.series.allSatisfy { $0.counters.received > 0 && $0.latency != nil })
            let lines = TimeSeries.text(result.series, of: result.plan).split(separator: "\n").dropFirst()
            #expect(lines.allSatisfy { $0.contains(",8,") })
            // Nothing is left out, or told twice.
            #expect(result.series.reduce(0) { $0 + $1.counters.received } == result.counters.received)
        }
    }
}
