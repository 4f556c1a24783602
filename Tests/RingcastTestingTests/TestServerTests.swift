import Ringcast
import RingcastTesting
import Testing

@Suite struct TestServerTests {
    private static let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })

    /// `/rooms/NAME`, for those who have a name; `/health` for everybody.
    private static func rooms(_ request: borrowing Request) throws -> Reply {
        guard request.path.hasPrefix("/rooms/") else { return .response(.ok, "fine") }
        guard let name = request.cookie("name") else { return .response(.unauthorized, "who are you?") }
        let room = Topic(request.path)
        let handlers = WebSocketHandlers<String>(
            open: { ws in ws.subscribe(to: room) },
            message: { ws, message in ws.server.publish("\(ws.data): \(message.string)", to: room) })
        return .upgrade(to: handlers, with: name)
    }

    @Test func `members of a room hear each other, and stay for an hour`() throws {
        let app = try TestServer { try Self.rooms($0) }
        let ann = try app.connect("/rooms/1", headers: [.cookie: "name=ann"])
        let bob = try app.connect("/rooms/1", headers: [.cookie: "name=bob"])
        let eve = try app.connect("/rooms/2", headers: [.cookie: "name=eve"])
        ann.send("hello")
        app.advance(by: .seconds(3_600))
        bob.send("goodbye")
        #expect(ann.received.map(\.string) == ["ann: hello", "bob: goodbye"])
        #expect(bob.takeReceived() == ann.received && bob.received == [] && eve.received == [])
        #expect(ann.isOpen && ann.pings.count > 30, "it has answered all of them")
        #expect(app.server.totals.sockets == 3 && app.clock.now.offset == .seconds(3_600))
    }

    @Test func `a refusal is thrown with its answer`() throws {
        let app = try TestServer { try Self.rooms($0) }
        #expect {
            try app.connect("/rooms/1")
        } throws: { error in
            guard case .refused(let response) = error as? TestClientError else { return false }
            return response.status == .unauthorized && response.string == "who are you?"
        }
        #expect(throws: TestClientError.invalidRequest("\"nowhere\" is not an IP address")) {
            try app.connect("/rooms/1", from: "nowhere")
        }
        #expect(throws: TestClientError.self) { try app.connect("/rooms/1", on: 1) }
    }

    @Test func `plain requests have status, headers and body`() throws {
        let app = try TestServer { request in
            switch request.path {
            case "/health": return .response(.ok, "fine")
            case "/echo":
                return .response(
                    .created, bytes: request.bytes, headers: [.server: "\(request.method) \(request.query("a") ?? "")"])
            default: return .response(.notFound)
            }
        }
        let health = try app.request(.get, "/health")
        #expect(health.status == .ok && health.string == "fine")
        #expect(health.headers[.contentType] == "text/plain; charset=utf-8")
        let echo = try app.request(.post, "/echo?a=b", body: "öl")
        #expect(echo.status == .created && echo.string == "öl" && echo.headers[.server] == "POST b")
        #expect(try app.request(.post, "/echo", body: [UInt8](repeating: 1, count: 100_000)).body.count == 100_000)
        #expect(try app.request(.head, "/health").body == [])
        #expect(try app.request(.get, "/a b").status == .badRequest, "it is sent as it is")
        #expect(try app.request().status == .notFound)
        app.rest()
        #expect(app.server.totals.connections == 0, "none is left open")
    }

    @Test(arguments: [1, 4]) func `clients are spread over the loops, whose publishes reach all`(loops: Int) throws {
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "all") }, message: { ws, message in ws.publish(message, to: "all") })
        let app = try TestServer(loops: loops) { _ in .upgrade(to: handlers) }
        let clients = try (0..<8).map { _ in try app.connect() }
        app.rest()
        #expect(app.server.statistics.map(\.sockets) == Array(repeating: 8 / loops, count: loops))
        clients[0].send("from the first")
        app.server.publish("from the test", to: "all")
        #expect(clients[0].received.map(\.string) == ["from the test"])
        for client in clients[1...] {
            #expect(client.received.map(\.string) == ["from the first", "from the test"])
        }
        let last = try app.connect(on: loops - 1)
        last.send("from the last")
        #expect(clients.allSatisfy { $0.received.last?.string == "from the last" })
    }

    @Test func `a remote address is the client's own, and counts`() throws {
        let handlers = WebSocketHandlers<Void>(open: { ws in ws.send("\(ws.remoteAddress?.ipAddress ?? "nobody")") })
        let limits = ServerLimits(connectionsPerAddress: 1)
        let app = try TestServer(configuration: .init(limits: limits)) { _ in .upgrade(to: handlers) }
        let client = try app.connect(from: "203.0.113.7")
        #expect(client.received.map(\.string) == ["203.0.113.7"])
        #expect(try app.connect(from: "2001:db8::1").received.map(\.string) == ["2001:db8::1"])
        #expect {
            try app.connect(from: "203.0.113.7")
        } throws: { error in
            guard case .refused(let response) = error as? TestClientError else { return false }
            return response.status == .serviceUnavailable
        }
    }

    @Test func `a seed does the same again, and another one something else`() throws {
        func run(seed: UInt64?) throws -> (turns: [Int], received: [[String]]) {
            let handlers = WebSocketHandlers<Void>(
                open: { ws in ws.subscribe(to: "all") }, message: { ws, message in ws.publish(message, to: "all") })
            let app = try TestServer(loops: 2, seed: seed) { _ in .upgrade(to: handlers) }
            let clients = try (0..<6).map { _ in try app.connect() }
            for number in 0..<20 {
                for client in clients { client.send(String(repeating: "\(number)", count: 500)) }
            }
            return (app.server.statistics.map(\.loopTurns), clients.map { $0.received.map(\.string) })
        }
        let (plain, first, again, other) = (
            try run(seed: nil), try run(seed: 1), try run(seed: 1), try run(seed: 2)
        )
        #expect(first.turns == again.turns && first.received == again.received)
        #expect(first.turns != other.turns && first.turns != plain.turns)
        #expect([plain, first, other].allSatisfy { $0.received.allSatisfy { $0.count == 100 } }, "nothing is lost")
    }

    @Test func `a stop closes the sockets with its code, and refuses new ones`() throws {
        let journal = Journal()
        let handlers = WebSocketHandlers<Void>(
            open: { _ in }, close: { _, code, reason in journal.note("\(code.rawValue) \(reason)") })
        let app = try TestServer { _ in .upgrade(to: handlers) }
        let (ann, bob) = (try app.connect(), try app.connect())
        bob.answersClose = false
        #expect(!app.hasStopped)
        app.stop(.serviceRestart, reason: "soon back", within: .seconds(30), deadline: .seconds(60))
        #expect(app.hasStopped && ann.closeCode == 1012 && ann.closeReason == "soon back" && !ann.isConnected)
        #expect(bob.closeCode == 1012 && !bob.isConnected)
        #expect(journal.entries == ["1012 soon back", "1012 soon back"])
        #expect(app.clock.now.offset < .seconds(91), "its clock has gone on")
        #expect(throws: TestClientError.disconnected) { try app.connect() }
    }

    @Test func `a server that nobody keeps stops, and its tasks end`() async throws {
        let journal = Journal()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in
                ws.task { _ in
                    do { try await Task.sleep(for: .seconds(600)) } catch { journal.note("cancelled") }
                }
            }, close: { _, code, _ in journal.note("\(code.rawValue)") })
        var app: TestServer? = try TestServer { _ in .upgrade(to: handlers) }
        let client = try app?.connect()
        app = nil
        #expect(journal.entries.contains("1001") && client?.closeCode == 1001)
        let end = ContinuousClock.now + .seconds(60)
        while journal.entries.count < 2, ContinuousClock.now < end { await Task.yield() }
        #expect(Set(journal.entries) == ["1001", "cancelled"])
    }

    @Test func `a server of routes is tested as it is`() throws {
        var routes = Routes()
        routes.get("/health") { _ in .response(.ok, "fine") }
        routes.webSocket("/rooms/:room", WebSocketHandlers<String>(open: { ws in ws.send("in \(ws.data)") })) {
            request in
            guard let name = request.cookie("name") else { throw Reply.response(.unauthorized) }
            return "\(request.parameter("room") ?? "") as \(name)"
        }
        let app = try TestServer(loops: 2, routes: routes)
        #expect(try app.request(.get, "/health").string == "fine")
        #expect(try app.request(.get, "/nowhere").status == .notFound)
        #expect(
            try app.connect("/rooms/1", headers: [.cookie: "name=ann"]).received.map(\.string) == ["in 1 as ann"])
        #expect(throws: TestClientError.self) { try app.connect("/rooms/1") }
    }

    @Test func `what makes no sense is an error, and a server that runs is not run again`() async throws {
        #expect(throws: ServerError.self) { try TestServer(loops: 0) { _ in .response(.ok) } }
        let limits = ServerLimits(headTimeout: .seconds(-1))
        #expect(throws: ServerError.self) {
            try TestServer(configuration: .init(limits: limits)) { _ in .response(.ok) }
        }
        let app = try TestServer { _ in .response(.ok) }
        let server = app.server
        await #expect(throws: ServerError.self) { try await server.run() }
        #expect(server.totals.driver == .simulated && server.addresses.count == 1)
    }
}
