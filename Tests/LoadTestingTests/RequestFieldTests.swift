import Ringcast
import Synchronization
import Testing

@testable import LoadTesting

/// What `--header`, `--cookie` and `--token` make of a request.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RequestFieldTests {
    private func parse(_ headers: [String] = [], cookies: [String] = [], token: String? = nil) throws -> [String] {
        try RequestFields.parse(headers: headers, cookies: cookies, token: token).map {
            "\($0.name.rawName)=\($0.value)"
        }
    }

    private func complaint(_ headers: [String] = [], cookies: [String] = [], token: String? = nil) -> String {
        do throws(LoadFailure) {
            _ = try RequestFields.parse(headers: headers, cookies: cookies, token: token)
            return ""
        } catch {
            return error.message
        }
    }

    @Test func `headers keep their order, their colons and their repetitions`() throws {
        #expect(
            try parse(["X-One: a: b", "Origin:https://example.org", "X-One:  c\t", "X-Empty:"])
                == ["X-One=a: b", "Origin=https://example.org", "X-One=c", "X-Empty="])
    }

    @Test func `all cookies are one header`() throws {
        #expect(try parse(["Cookie: a=1; b=2"], cookies: ["c=3", "d=e=f"]) == ["Cookie=a=1; b=2; c=3; d=e=f"])
        #expect(try parse(cookies: ["a=\"x y\""]) == ["Cookie=a=\"x y\""])
    }

    @Test func `a token is a bearer's`() throws {
        #expect(try parse(token: "abc.DEF-0/+~_==") == ["Authorization=Bearer abc.DEF-0/+~_=="])
    }

    @Test(arguments: [
        "", "X-One", ": a", "a b: c", "X: a\r\nY: b", "X: a\nb", "X: \u{0}", "Connection: close", "upgrade: h2c",
        "Sec-WebSocket-Key: x", "Content-Length: 3", "Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Extensions: x",
    ])
    func `a header that cannot be sent is refused in one sentence that names it`(_ header: String) {
        let said = complaint([header])
        #expect(said.hasPrefix("--header") && !said.contains { $0.isNewline })
    }

    @Test(arguments: ["", "a", "=b", "a=b; c=d", "a b=c", "a=b\nc"])
    func `what is no cookie is refused`(_ cookie: String) {
        let said = complaint(cookies: [cookie])
        #expect(said.hasPrefix("--cookie") && said.contains("name=value") && !said.contains { $0.isNewline })
    }

    @Test(arguments: ["", "a b", "=", "a=b", "a\r\nX: y", "ü"])
    func `what is no token is refused, and not repeated`(_ token: String) {
        let said = complaint(token: token)
        #expect(said.hasPrefix("--token") && !said.contains { $0.isNewline })
    }

    @Test func `two of the same are refused`() {
        #expect(complaint(["authorization: Basic YTpi"], token: "abc").contains("same header"))
    }

    @Test(arguments: [Workload.echo, .chat, .fanout, .idle, .churn, .mixed])
    func `they reach the server with every connection of a load`(_ workload: Workload) async throws {
        let asked = Atomic<Int>(0)
        let wrong = Mutex<[String]>([])
        let echo = WebSocketHandlers<Void>(
            open: { $0.subscribe(to: "all") },
            message: { ws, message in
                ws.send(message)
                ws.publish(message, to: "all")
            })
        let server = try Server(
            configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false)
        ) {
            request in
            asked.add(1, ordering: .relaxed)
            let told = ["X-Tenant", "Authorization", "Cookie"].map { request.headers[HTTPField.Name($0)!] ?? "-" }
            let cookieCount = request.headers[values: .cookie].count
            guard told == ["a:b", "Bearer t0ken", "a=1; b=2"], cookieCount == 1 else {
                wrong.withLock { $0.append("\(told) \(cookieCount)") }
                return .response(.unauthorized)
            }
            return .upgrade(to: echo)
        }
        let running = Task { try await server.run() }
        defer { server.stop() }
        var plan = LoadPlan(workload: workload, url: "ws://127.0.0.1:\(server.port)/any")
        (plan.connections, plan.subscribers, plan.duration, plan.warmup, plan.pinsThreads) = (4, 4, 0.2, 0, false)
        plan.isText = workload == .chat
        if workload == .mixed { plan.scenario = try Scenario.parse("phase one\nduration 200ms\nusers 4\nthink 10ms") }
        plan.headers = try RequestFields.parse(headers: ["X-Tenant: a:b"], cookies: ["a=1", "b=2"], token: "t0ken")
        _ = try await LoadEngine(plan: plan).run()
        #expect(asked.load(ordering: .relaxed) >= 4 && wrong.withLock { $0 } == [])
        plan.headers = [:]
        if ![.churn, .mixed, .idle].contains(workload) {
            let refused = plan
            let failure = await #expect(throws: LoadFailure.self) { try await LoadEngine(plan: refused).run() }
            #expect(failure?.message.contains("--token") == true, "the advice names the option")
        }
        server.stop()
        try await running.value
    }
}
