import Logging
import ReactorTesting
import Ringcast
import ServiceLifecycle
import Testing
import WebSocketProtocol

@Suite(.blocking) struct ServerTests {
    static let silent = WebSocketHandlers<Void>(message: { _, _ in })

    @Test func `port 0 picks a free port, and a taken one is an error that says so`() async throws {
        try await serving(fetch: { _ in .response(.ok) }) { server in
            #expect(server.port > 0)
            #expect(server.hostname == "127.0.0.1")
            let configuration = ServerConfiguration(
                hostname: "127.0.0.1", port: server.port, loops: .count(1), pinsThreads: false)
            let error = #expect(throws: ServerError.self) {
                _ = try Server(configuration: configuration) { _ in .response(.ok) }
            }
            #expect(error?.description.contains("port \(server.port) is taken") == true)
        }
    }

    @Test func `a server that never ran goes away`() throws {
        weak var weakServer: Server?
        do {
            let server = try Server(
                configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false)
            ) { _ in
                .response(.ok)
            }
            weakServer = server
        }
        #expect(weakServer == nil)
    }

    @Test func `stop closes the sockets with 1001, and run returns`() async throws {
        try await serving(Self.silent, { $0.stop = StopTiming(window: .milliseconds(100), deadline: .seconds(5)) }) {
            server in
            let clients = try (0..<8).map { _ in try SocketClient(port: server.port) }
            #expect(eventually { server.pendingWebSockets == 8 })
            server.stop()
            for client in clients {
                #expect(try client.readClose().closeCode == 1001)
                try client.sendClose(1001)
                #expect(try client.isAtEnd())
            }
        }
    }

    @Test func `stop can say 1012, and cuts who does not answer, however long a close may take otherwise`() async throws
    {
        let patient = WebSocketHandlers<Void>(options: .init(closeTimeout: .seconds(600)), message: { _, _ in })
        try await serving(patient, { $0.stop = StopTiming(window: .zero, deadline: .milliseconds(100)) }) {
            server in
            let client = try SocketClient(port: server.port)
            #expect(eventually { server.pendingWebSockets == 1 })
            server.stop(.serviceRestart, reason: "back soon")
            let close = try client.readClose()
            #expect(close.closeCode == 1012)
            #expect(close.closeReason == "back soon")
            #expect(try client.isAtEnd())
        }
    }

    @Test func `while a server stops, requests are answered and upgrades get 503`() async throws {
        let gate = AsyncMessageTests.Gate()
        try await serving(
            { $0.stop = StopTiming(window: .zero, deadline: .seconds(60)) },
            fetch: { request in
                if request.path == "/ws" { return .upgrade(to: Self.silent) }
                return .deferred {
                    try await gate.pass()
                    return .response(.ok, "done")
                }
            }
        ) { server in
            let waiting = try TCPClient(port: server.port)
            let upgrading = try TCPClient(port: server.port)
            let (request, half) = ("GET / HTTP/1.1\r\nHost: t\r\n\r\n", "GET /ws HTTP/1.1\r\nHost: t\r\n")
            try waiting.send(request)
            try upgrading.send(half)
            let count = request.utf8.count + half.utf8.count
            #expect(
                eventually { server.pendingRequests == 1 && server.statistics.reduce(0) { $0 + $1.bytesIn } == count })
            server.stop()
            try upgrading.send(SocketClient.fields.dropFirst().map { $0 + "\r\n" }.joined() + "\r\n")
            #expect(try upgrading.readAnswer().status == 503)
            gate.open()
            let answer = try waiting.readAnswer()
            #expect(answer.text == "done")
            #expect(answer["Connection"] == "close")
            #expect(throws: (any Error).self) { try TCPClient(port: server.port).get("/") }
        }
    }

    @Test func `who waits to be accepted when a server stops is still answered`() async throws {
        try await serving(
            { $0.stop = StopTiming(window: .zero, deadline: .seconds(5)) }, fetch: { _ in .response(.ok, "still here") }
        ) { server in
            // Most of these are in the listeners' queues when the loops hear of the end.
            let clients = try (0..<64).map { _ in try TCPClient(port: server.port) }
            server.stop()
            for client in clients {
                let answer = try client.get("/")
                #expect(answer.text == "still here" && answer["Connection"] == "close")
            }
        }
    }

    /// A server that has accepted somebody runs.
    private func connectOnceItRuns(_ server: Server) async throws -> TCPClient {
        let client = try TCPClient(port: server.port)
        while server.statistics.allSatisfy({ $0.connections == 0 }) { try await Task.sleep(for: .milliseconds(2)) }
        return client
    }

    @Test func `cancelling the task that runs a server stops it`() async throws {
        let server = try Server(
            configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(2), pinsThreads: false)
        ) { _ in
            .response(.ok)
        }
        let task = Task { try await server.run() }
        let client = try await connectOnceItRuns(server)
        defer { withExtendedLifetime(client) {} }
        task.cancel()
        try await task.value
    }

    @Test func `a service group shuts a server down gracefully`() async throws {
        let server = try Server(
            configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(2), pinsThreads: false)
        ) { _ in
            .response(.ok)
        }
        let group = ServiceGroup(configuration: .init(services: [server], logger: Logger(label: "test")))
        let task = Task { try await group.run() }
        let client = try await connectOnceItRuns(server)
        defer { withExtendedLifetime(client) {} }
        await group.triggerGracefulShutdown()
        try await task.value
    }

    @Test func `reload answers with another fetch, and open sockets keep their handlers`() async throws {
        let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })
        try await serving(fetch: { request in request.path == "/ws" ? .upgrade(to: echo) : .response(.ok, "old") }) {
            server in
            let client = try TCPClient(port: server.port)
            let socket = try SocketClient(port: server.port, path: "/ws")
            #expect(try client.get("/").text == "old")
            server.reload { _ in .response(.ok, "new") }
            #expect(eventually { (try? client.get("/").text) == "new" })
            try socket.send("still here")
            #expect(try socket.readText() == "still here")
        }
    }

    @Test func `the statistics count what was done, per loop`() async throws {
        let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })
        try await serving(echo) { server in
            let clients = try (0..<4).map { _ in try SocketClient(port: server.port) }
            for client in clients {
                try client.send("hello")
                #expect(try client.readText() == "hello")
            }
            #expect(eventually { server.statistics.map(\.messagesIn) == [2, 2] })
            #expect(server.statistics.map(\.messagesOut) == [2, 2])
            #expect(server.statistics.map(\.sockets) == [2, 2])
            #expect(
                server.statistics.allSatisfy {
                    $0.bytesIn > 0 && $0.bytesOut > 0 && $0.loopTurns > 0 && $0.sendSubmissions > 0
                })
        }
    }
}
