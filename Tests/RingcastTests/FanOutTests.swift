import Ringcast
import Testing

/// Publishes in a row are handed over together; nobody may be able to tell.
@Suite struct FanOutTests {
    /// A socket of "member" subscribes to "t" and "u"; one of "stage" does what its message says, in one turn.
    private static func serveStage(
        _ act: @escaping @Sendable (borrowing WebSocket<Void>) -> Void, _ body: @Sendable (Server) throws -> Void
    ) async throws {
        let member = WebSocketHandlers<Void>(open: { ws in
            ws.subscribe(to: "t")
            ws.subscribe(to: "u")
        })
        let stage = WebSocketHandlers<Void>(message: { ws, _ in act(ws) })
        try await serving(
            { $0.loops = .count(1) }, fetch: { request in .upgrade(to: request.path == "/member" ? member : stage) },
            body: body)
    }

    private static func member(of server: Server) throws -> SocketClient {
        let client = try SocketClient(port: server.port, path: "/member")
        #expect(eventually { server.subscriberCount(of: "u") == 1 })
        return client
    }

    @Test func `frames of two topics, published in turn, come in that order`() async throws {
        try await Self.serveStage { ws in
            for number in 0..<6 { ws.publish("\(number)", to: number % 3 == 2 ? "u" : "t") }
        } _: { server in
            let member = try Self.member(of: server)
            let stage = try SocketClient(port: server.port, path: "/stage")
            defer { withExtendedLifetime(stage) {} }
            try stage.send("go")
            for number in 0..<6 { #expect(try member.readText() == "\(number)") }
        }
    }

    @Test func `a direct send stands where it was made, between publishes`() async throws {
        try await Self.serveStage { ws in
            ws.subscribe(to: "mine")
            for number in 0..<3 {
                _ = ws.publish("to all", to: "t")
                ws.send("\(number)")
            }
        } _: { server in
            let member = try Self.member(of: server)
            let stage = try SocketClient(port: server.port, path: "/stage")
            try stage.send("go")
            for number in 0..<3 {
                #expect(try stage.readText() == "\(number)")
                #expect(try member.readText() == "to all")
            }
        }
    }

    @Test func `direct sends and pings stand where they were made, between publishes to their socket`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(publishToSelf: true),
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in
                ws.publish("before", to: "t")
                ws.send("direct")
                ws.publish("between", to: "t")
                ws.ping("ping")
                ws.publish("after", to: "t")
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            for text in ["before", "direct", "between", "ping", "after"] { #expect(try client.read().text == text) }
        }
    }

    @Test func `who subscribes in the middle of a row gets only what follows`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(publishToSelf: true),
            message: { ws, _ in
                ws.publish("before", to: "t")
                ws.subscribe(to: "t")
                ws.publish("between", to: "t")
                ws.publish("and", to: "t")
                ws.unsubscribe(from: "t")
                ws.publish("after", to: "t")
                ws.send("end")
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            for text in ["between", "and", "end"] { #expect(try client.readText() == text) }
        }
    }

    @Test func `publishes of several publishers in a row leave out each its own`() async throws {
        try await Self.serveStage { ws in
            ws.subscribe(to: "t")
            ws.server.publish("to all", to: "t")
            ws.publish("to others", to: "t")
            ws.publish("to others", to: "t")
            ws.server.publish("to all", to: "t")
            ws.send("end")
        } _: { server in
            let member = try Self.member(of: server)
            let stage = try SocketClient(port: server.port, path: "/stage")
            try stage.send("go")
            for text in ["to all", "to all", "end"] { #expect(try stage.readText() == text) }
            for text in ["to all", "to others", "to others", "to all"] { #expect(try member.readText() == text) }
        }
    }

    @Test func `what was published before a close goes out before it`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(publishToSelf: true),
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in
                for number in 0..<3 { ws.publish("\(number)", to: "t") }
                ws.close()
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            #expect(eventually { server.subscriberCount(of: "t") == 1 })
            try client.send("go")
            for number in 0..<3 { #expect(try client.readText() == "\(number)") }
            #expect(try client.readClose().payload == [0x03, 0xE8])
        }
    }

    @Test func `a limit in the middle of a row drops what comes behind it, and counts it`() async throws {
        let dropped = Journal<String>()
        let member = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 40), open: { ws in ws.subscribe(to: "t") },
            dropped: { _, message in dropped.note(message.string) })
        let stage = WebSocketHandlers<Void>(message: { ws, _ in
            // 20 bytes each on the wire: the third finds the limit.
            for number in 0..<5 { ws.publish("message number \(number) .", to: "t") }
        })
        try await serving(
            { $0.loops = .count(1) }, fetch: { request in .upgrade(to: request.path == "/member" ? member : stage) }
        ) { server in
            let client = try SocketClient(port: server.port, path: "/member")
            #expect(eventually { server.subscriberCount(of: "t") == 1 })
            let stage = try SocketClient(port: server.port, path: "/stage")
            defer { withExtendedLifetime(stage) {} }
            try stage.send("go")
            for number in 0..<2 { #expect(try client.readText() == "message number \(number) .") }
            #expect(dropped.wait(for: 3) == (2..<5).map { "message number \($0) ." })
            #expect(eventually { server.statistics[0].dropsAtLimit == 3 })
            #expect(server.statistics[0].deliveries == 2)
        }
    }

    /// A member whose queue holds one frame and who does `act` when another one is dropped; a witness; a stage that
    /// publishes twice. The turn ends with the drop.
    private static func serveDrops(
        options: WebSocketOptions = .init(), _ act: @escaping @Sendable (borrowing WebSocket<Void>) -> Void,
        publish: @escaping @Sendable (borrowing WebSocket<Void>) -> Void = { ws in
            ws.publish("first", to: "t")
            ws.publish("second", to: "t")
        }, check body: @Sendable (_ member: SocketClient, _ witness: SocketClient) throws -> Void
    ) async throws {
        var narrow = options
        narrow.backpressureLimit = 1
        let member = WebSocketHandlers<Void>(
            options: narrow, open: { ws in ws.subscribe(to: "t") }, dropped: { ws, _ in act(ws) })
        let witness = WebSocketHandlers<Void>(open: { ws in ws.subscribe(to: "answers") })
        let stage = WebSocketHandlers<Void>(message: { ws, _ in publish(ws) })
        try await serving(
            { $0.loops = .count(1) },
            fetch: { .upgrade(to: $0.path == "/member" ? member : $0.path == "/witness" ? witness : stage) }
        ) { server in
            let member = try SocketClient(port: server.port, path: "/member")
            let witness = try SocketClient(port: server.port, path: "/witness")
            #expect(eventually { server.subscriberCount(of: "t") == 1 && server.subscriberCount(of: "answers") == 1 })
            let stage = try SocketClient(port: server.port, path: "/stage")
            defer { withExtendedLifetime(stage) {} }
            try stage.send("go")
            try body(member, witness)
        }
    }

    @Test func `what a drop's handler publishes at the end of a turn leaves with that turn`() async throws {
        try await Self.serveDrops { ws in
            ws.publish("answer", to: "answers")
        } check: { _, witness in
            let text = try witness.readText()
            #expect(text == "answer")
        }
    }

    @Test func `what a drop's handler publishes is not lost when a publish settles the row`() async throws {
        try await Self.serveDrops { ws in
            ws.publish("answer", to: "answers")
        } publish: { ws in
            ws.publish("first", to: "t")
            ws.publish("second", to: "t")
            // Too large for the block of the log that the row lies in; what is published meanwhile comes before it.
            ws.publish(String(repeating: "x", count: 100_000), to: "answers")
        } check: { _, witness in
            let texts = try [witness.readText(), witness.readText()]
            #expect(texts == ["answer", String(repeating: "x", count: 100_000)])
        }
    }

    @Test func `a frame stays as it is while handlers of drops fill the log`() async throws {
        var options = WebSocketOptions()
        options.publishToSelf = true
        try await Self.serveDrops(options: options) { ws in
            // The member is at its limit: what it publishes is written, and nobody keeps it.
            ws.subscribe(to: "mine")
            for _ in 0..<4 { ws.publish(String(repeating: "y", count: 60_000), to: "mine") }
        } publish: { ws in
            ws.publish("first", to: "t")
            ws.publish("second", to: "t")
            ws.publish(String(repeating: "x", count: 65_530), to: "answers")
        } check: { _, witness in
            let text = try witness.readText()
            #expect(text == String(repeating: "x", count: 65_530))
        }
    }

    @Test func `a drop's handler may answer every drop with one of its own`() async throws {
        var options = WebSocketOptions()
        options.publishToSelf = true
        try await Self.serveDrops(options: options) { ws in
            ws.publish("again", to: "t")
            ws.publish("told", to: "answers")
        } check: { member, witness in
            let texts = try [member.readText(), witness.readText()]
            #expect(texts == ["first", "told"])
        }
    }

    @Test func `a socket that a drop's handler terminates ends with the turn`() async throws {
        try await Self.serveDrops { ws in
            ws.terminate()
        } check: { member, _ in
            // What was queued is lost with it.
            let isAtEnd = try member.isAtEnd()
            #expect(isAtEnd)
        }
    }

    @Test func `statistics count every message of a row`() async throws {
        try await Self.serveStage { ws in
            for _ in 0..<10 { ws.publish("x", to: "t") }
        } _: { server in
            let member = try Self.member(of: server)
            let stage = try SocketClient(port: server.port, path: "/stage")
            defer { withExtendedLifetime(stage) {} }
            try stage.send("go")
            for _ in 0..<10 { #expect(try member.readText() == "x") }
            #expect(eventually { server.statistics[0].deliveries == 10 && server.statistics[0].publishes == 10 })
        }
    }

    @Test func `a row for a subscriber that is closing is so many drops`() async throws {
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, message in
                if message.string == "close" { return ws.close() }
                for _ in 0..<10 { ws.publish("x", to: "t") }
                ws.send("published")
            })
        try await serving(handlers, { $0.loops = .count(1) }) { server in
            let (closing, publisher) = (try SocketClient(port: server.port), try SocketClient(port: server.port))
            try closing.send("close")
            #expect(try closing.readClose().closeCode == 1000)
            try publisher.send("go")
            #expect(try publisher.readText() == "published")
            #expect(eventually { server.statistics[0].dropsClosed == 10 })
            #expect(server.statistics[0].deliveries == 0)
        }
    }
}
