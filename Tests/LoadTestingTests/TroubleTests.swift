import Ringcast
import Testing

@testable import LoadTesting

/// What is said when a load cannot be run, or not to its end: one sentence each.
@Suite(.serialized, .timeLimit(.minutes(1))) struct TroubleTests {
    private func plan(_ url: String) -> LoadPlan {
        var plan = LoadPlan(workload: .echo, url: url)
        (plan.connections, plan.duration, plan.warmup, plan.pinning) = (4, 20, 0, false)
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
        Task {
            try await Task.sleep(for: .milliseconds(500))
            server.stop()
        }
        let result = try await LoadEngine(plan: plan("ws://127.0.0.1:\(server.port)/echo")).run()
        #expect(result.failure?.hasPrefix("all connections were lost") == true)
        #expect(result.counters.received > 0 && result.seconds < 15)
        try await running.value
    }
}

/// The endpoints that loads go to, as `ringcast serve` has them.
enum TestServer {
    static func make() throws -> Server {
        let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })
        var toSelf = WebSocketOptions()
        toSelf.publishToSelf = true
        let chat = WebSocketHandlers<Void>(
            options: toSelf, open: { $0.subscribe(to: "chat") }, message: { $0.publish($1, to: "chat") })
        let member = WebSocketHandlers<Topic>(
            open: { $0.subscribe(to: $0.data) }, message: { $0.publish($1, to: $0.data) })
        let publisher = WebSocketHandlers<Topic>(message: { $0.publish($1, to: $0.data) })
        return try Server(configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(2), pinning: false)) {
            request in
            switch request.path {
            case "/echo": return .upgrade(to: echo, with: ())
            case "/chat": return .upgrade(to: chat, with: ())
            case let path where path.hasPrefix("/topic/"):
                return .upgrade(to: member, with: Topic(String(path.dropFirst(7))))
            case let path where path.hasPrefix("/publish/"):
                return .upgrade(to: publisher, with: Topic(String(path.dropFirst(9))))
            default: return .response(.notFound)
            }
        }
    }

    /// Serves while `body` runs; the URL has no path.
    static func run(_ body: (String) async throws -> Void) async throws {
        let server = try make()
        let running = Task { try await server.run() }
        defer { server.stop() }
        try await body("ws://127.0.0.1:\(server.port)")
        server.stop()
        try await running.value
    }
}
