import Ringcast
import Testing

@testable import LoadTesting

/// What is said when a load cannot be run, or not to its end: one sentence each.
@Suite(.serialized, .timeLimit(.minutes(5))) struct TroubleTests {
    private func plan(_ url: String) -> LoadPlan {
        var plan = LoadPlan(workload: .echo, url: url)
        (plan.connections, plan.duration, plan.warmup, plan.pinsThreads) = (4, 20, 0, false)
        return plan
    }

    private func failure(_ url: String, _ change: (inout LoadPlan) -> Void = { _ in }) async -> String {
        var plan = plan(url)
        change(&plan)
        do throws(LoadFailure) {
            _ = try await LoadEngine(plan: plan).run()
            return ""
        } catch {
            return error.message
        }
    }

    @Test func `a URL that is none`() async {
        #expect(await failure("127.0.0.1:3000").contains("ws://127.0.0.1:3000/echo"))
    }

    @Test func `nobody listens there`() async {
        #expect(await failure("ws://127.0.0.1:1/echo").contains("127.0.0.1:1"))
    }

    @Test func `the server has no WebSocket there`() async throws {
        try await TestServer.run { url in
            #expect(await failure(url + "/nothing").contains("404"))
        }
    }

    @Test func `the process to be watched is not there`() async {
        #expect(await failure("ws://127.0.0.1:1/echo") { $0.serverPID = 0x7FFF_FFFF }.contains("--server-pid"))
    }

    @Test func `more connections than there may be open files`() {
        let complaint = DescriptorLimit.complaint(connections: 20_000, loops: 2, limit: 1_024)
        #expect(complaint?.contains("ulimit -Hn 20040") == true)
        #expect(DescriptorLimit.complaint(connections: 900, loops: 1, limit: 1_024) == nil)
    }

    @Test func `a server that goes in the middle ends the load, which tells what it has`() async throws {
        let server = try TestServer.make()
        let running = Task { try await server.run() }
        var plan = plan("ws://127.0.0.1:\(server.port)/echo")
        plan.duration = 3_600
        let engine = LoadEngine(plan: plan) { phase, row, _ in
            if case .measuring = phase, row.counters.received > 0 { server.stop() }
        }
        let result = try await engine.run()
        #expect(result.failure?.hasPrefix("all connections were lost") == true)
        #expect(result.counters.received > 0 && result.seconds < 3_600)
        try await running.value
    }

    @Test func `idle connections that are all lost end the load`() async throws {
        let server = try TestServer.make()
        let running = Task { try await server.run() }
        var plan = plan("ws://127.0.0.1:\(server.port)/echo")
        (plan.workload, plan.duration) = (.idle, 1_000)
        let engine = LoadEngine(plan: plan) { phase, _, open in
            if case .measuring = phase, open == 4 { server.stop() }
        }
        #expect(try await engine.run().failure?.hasPrefix("all connections were lost") == true)
        try await running.value
    }

    @Test func `users of a scenario who find nobody give up`() async throws {
        var plan = plan("ws://127.0.0.1:1")
        plan.workload = .mixed
        plan.scenario = try Scenario.parse("phase a\nduration 1000s\nusers 3")
        let result = try await LoadEngine(plan: plan).run()
        #expect(result.failure?.hasPrefix("all connections were lost: cannot connect to 127.0.0.1:1") == true)
    }

    @Test func `a server that accepts some connections only is asked for all of them`() async throws {
        try await TestServer.run { url in
            var plan = plan(url + "/forty")
            (plan.workload, plan.connections, plan.duration) = (.idle, 400, 0.1)
            let result = try await LoadEngine(plan: plan).run()
            #expect(result.total.opened == 40 && result.total.failedConnections == 360)
            #expect(result.failure?.contains("after 40 connections 360 more failed") == true)
            #expect(result.failure?.contains("503") == true)
        }
    }
}
