import Testing

@testable import LoadTesting

/// Servers that do not do what they should: nothing of it goes unnoticed.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CheckingTests {
    private func run(_ path: String, _ change: (inout LoadPlan) -> Void = { _ in }) async throws -> LoadResult {
        var result: LoadResult?
        try await TestServer.run { url in
            var plan = LoadPlan(workload: .echo, url: url + path)
            (plan.connections, plan.duration, plan.warmup, plan.pinsThreads) = (2, 0.6, 0, false)
            change(&plan)
            result = try await LoadEngine(plan: plan).run()
        }
        return try #require(result)
    }

    @Test(arguments: [Workload.echo, .churn])
    func `a server that answers nothing fails`(workload: Workload) async throws {
        let result = try await run("/sink") { $0.workload = workload }
        #expect(result.failure?.contains("does the server echo at ws://127.0.0.1:") == true)
        #expect(result.latency == nil && (workload == .churn || result.total.lost == 2))
    }

    @Test(arguments: [(Workload.echo, 20), (.echo, 8), (.churn, 20), (.churn, 8)])
    func `a server that answers with something else fails`(workload: Workload, size: Int) async throws {
        let result = try await run("/wrong") { ($0.workload, $0.size) = (workload, size) }
        #expect(result.failure?.contains("a message came that is not one that was sent") == true)
        #expect(result.total.received > 0 && result.total.errors == result.total.received)
        #expect(result.messagesPerSecond == 0)
    }

    @Test(arguments: [20, 8])
    func `messages that come twice are counted, and not answered twice`(size: Int) async throws {
        let result = try await run("/twice") { $0.size = size }
        #expect(result.total.duplicated > 0 && result.total.errors == 0 && result.total.lost == 0)
        #expect(result.total.sent == result.total.answered && result.failure == nil)
    }

    @Test func `every message that was left out is lost, once`() async throws {
        let result = try await run("/lossy") { $0.depth = 4 }
        #expect(result.total.lost > 0 && result.total.late == 0 && result.total.duplicated == 0)
        #expect(result.total.sent == result.total.received + result.total.lost)
        // The others go on.
        #expect(result.total.received > 40)
    }

    @Test func `messages that come late are late, and not lost`() async throws {
        let result = try await run("/swapping") { $0.depth = 4 }
        #expect(result.total.late > 0 && result.total.duplicated == 0 && result.total.errors == 0)
        #expect(result.total.lost <= 2, "at the end each connection may wait for one")
        #expect(result.total.sent == result.total.received + result.total.lost)
    }

    @Test func `every delivery that was left out is lost, once`() async throws {
        let result = try await run("/topic/{topic}") {
            ($0.workload, $0.subscribers, $0.publishers, $0.size) = (.fanout, 5, 2, 40)
            $0.publishURL = $0.url.replacing("/topic/", with: "/lossy-publish/")
        }
        #expect(result.total.lost > 0 && result.total.late == 0 && result.total.errors == 0)
        #expect(result.total.sent * 5 == result.total.received + result.total.lost)
    }

    @Test func `publishes that reach nobody fail`() async throws {
        let result = try await run("/topic/{topic}") {
            ($0.workload, $0.subscribers, $0.size) = (.fanout, 5, 40)
            $0.publishURL = $0.url.replacing("/topic/{topic}", with: "/sink")
        }
        #expect(result.failure?.contains("nothing that was published came to a subscriber") == true)
        #expect(result.total.lost == result.total.sent * 5)
    }

    @Test func `an open loop shows a server that stands still, message by message`() async throws {
        let stall = Double(TestServer.stallMicroseconds)
        let open = try await run("/stall") { ($0.connections, $0.rate, $0.duration) = (1, 200, 1) }
        // Two fifths of what was due within this second was due while it stood still.
        let latency = try #require(open.latency)
        #expect(latency.p90 > stall / 4 && latency.max > stall * 0.9)
        // Messages of the first moment may come before anything is measured.
        let closed = try await run("/stall-later") { ($0.connections, $0.duration) = (1, 3) }
        let longest = try #require(closed.latency).max
        #expect(longest > stall * 0.9)
    }
}
