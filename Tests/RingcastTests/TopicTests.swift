import Ringcast
import Synchronization
import Testing
import WebSocketProtocol

@Suite struct TopicTests {
    struct Member: Sendable {
        let name: String
    }

    /// Subscribes to "room"; a message goes to the others, and the sender hears the result.
    static func room(_ options: WebSocketOptions = WebSocketOptions()) -> WebSocketHandlers<Member> {
        WebSocketHandlers(
            options: options,
            open: { ws in ws.subscribe(to: "room") },
            message: { ws, message in
                let result = ws.publish("\(ws.data.name): \(message.string)", to: "room")
                if message.string == "how" { ws.send("\(result)") }
            },
            close: { ws, _, _ in ws.publish("\(ws.data.name) left", to: "room") })
    }

    static func serveRoom(_ options: WebSocketOptions = WebSocketOptions(), _ body: @Sendable (Server) throws -> Void)
        async throws
    {
        let room = room(options)
        try await serving(
            fetch: { request in .upgrade(to: room, with: Member(name: request.query("name") ?? "?")) }, body: body)
    }

    static func join(_ server: Server, _ names: String...) throws -> [SocketClient] {
        let clients = try names.map { try SocketClient(port: server.port, path: "/?name=\($0)") }
        #expect(
            eventually { server.pendingWebSockets == names.count && server.subscriberCount(of: "room") == names.count })
        return clients
    }

    @Test func `a publish reaches everyone on every loop but the publisher`() async throws {
        try await Self.serveRoom { server in
            let clients = try Self.join(server, "a", "b", "c", "d")
            #expect(server.statistics.map(\.sockets) == [2, 2])
            try clients[0].send("hi")
            for client in clients[1...] { #expect(try client.readText() == "a: hi") }
            try clients[1].send("ho")
            #expect(try clients[0].readText() == "b: ho")
        }
    }

    @Test func `and the publisher too, if its options say so`() async throws {
        try await Self.serveRoom(.init(publishToSelf: true)) { server in
            let clients = try Self.join(server, "a", "b")
            try clients[0].send("hi")
            for client in clients { #expect(try client.readText() == "a: hi") }
        }
    }

    @Test func `a subscriber that is closing does not hear it`() async throws {
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "room") },
            message: { ws, message in
                if message.string == "bye" { ws.close() } else { ws.send("\(ws.publish(message, to: "room"))") }
            })
        try await serving(handlers, { $0.loops = .count(1) }) { server in
            let clients = try (0..<2).map { _ in try SocketClient(port: server.port) }
            try clients[0].send("hi")
            #expect(try clients[0].readText() == "sent(bytes: 2)" && clients[1].readText() == "hi")
            try clients[1].send("bye")
            #expect(try clients[1].readClose().closeCode == 1000)
            // Its answer is to come, and it counts no more.
            #expect(server.subscriberCount(of: "room") == 1 && server.topics.map(\.subscriberCount) == [1])
            try clients[0].send("hi")
            #expect(try clients[0].readText() == "dropped")
            #expect(eventually { server.statistics[0].dropsClosed == 1 && server.statistics[0].deliveries == 1 })
        }
    }

    @Test func `a socket that is terminated is no subscriber from then on`() async throws {
        let counts = Journal<Int>()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in
                counts.note(ws.server.subscriberCount(of: "t"))
                ws.terminate()
                counts.note(ws.server.subscriberCount(of: "t"))
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            #expect(counts.wait(for: 2) == [1, 0])
        }
    }

    @Test func `a publish that nobody else hears is dropped`() async throws {
        try await Self.serveRoom { server in
            let alone = try Self.join(server, "a")[0]
            try alone.send("how")
            #expect(try alone.readText() == "dropped")
            #expect(server.publish("x", to: "nobody") == .dropped)
            #expect(server.publish("x", to: "") == .dropped)
            #expect(server.publish("x", to: Topic(String(repeating: "x", count: 1_025))) == .dropped)
        }
    }

    @Test func `the close handler can still publish`() async throws {
        try await Self.serveRoom { server in
            let clients = try Self.join(server, "a", "b", "c")
            try clients[0].sendClose()
            for client in clients[1...] { #expect(try client.readText() == "a left") }
            clients[1].connection.reset()
            #expect(try clients[2].readText() == "b left")
            #expect(eventually { server.subscriberCount(of: "room") == 1 })
        }
    }

    @Test func `the server publishes from any thread, and its results count bytes`() async throws {
        try await Self.serveRoom { server in
            let clients = try Self.join(server, "a", "b")
            #expect(server.publish("héllo", to: "room") == .sent(bytes: 6))
            #expect(server.publish([1, 2, 3], to: "room") == .sent(bytes: 3))
            #expect(server.publishText("x", to: "room") == .sent(bytes: 1))
            #expect(server.publishBinary([9], to: "room") == .sent(bytes: 1))
            for client in clients {
                #expect(try client.readText() == "héllo")
                #expect(try client.read() == .init(opcode: .binary, payload: [1, 2, 3]))
                #expect(try client.readText() == "x")
                #expect(try client.read() == .init(opcode: .binary, payload: [9]))
            }
            #expect(server.topics.map(\.topic) == ["room"])
            #expect(server.topics.map(\.subscriberCount) == [2])
        }
    }

    @Test func `what a handler publishes by the server reaches its own socket too`() async throws {
        let own = Mutex<Server?>(nil)
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, message in
                let result = own.withLock { $0 }?.publish(message, to: "t")
                ws.send("\(result ?? .dropped)")
            })
        try await serving(handlers) { server in
            own.withLock { $0 = server }
            defer { own.withLock { $0 = nil } }
            let clients = try (0..<3).map { _ in try SocketClient(port: server.port) }
            #expect(eventually { server.subscriberCount(of: "t") == 3 })
            try clients[0].send("to all")
            for client in clients { #expect(try client.readText() == "to all") }
            #expect(try clients[0].readText() == "sent(bytes: 6)")
        }
    }

    @Test func `who unsubscribes hears no more, and is told whether that changed anything`() async throws {
        let handlers = WebSocketHandlers<Void>(message: { ws, message in
            switch message.string {
            case "in": ws.send("\(ws.subscribe(to: "t"))")
            case "out": ws.send("\(ws.unsubscribe(from: "t"))")
            default: ws.send("\(ws.subscribe(to: "")) \(ws.subscribe(to: Topic(String(repeating: "x", count: 2_000))))")
            }
        })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            for (message, answer) in [
                ("in", "true"), ("in", "false"), ("out", "true"), ("out", "false"), ("?", "false false"),
            ] {
                try client.send(message)
                #expect(try client.readText() == answer)
            }
            #expect(server.publish("x", to: "t") == .dropped)
        }
    }

    @Test func `a direct send after a publish arrives after it, and topics do not overtake each other`() async throws {
        let handlers = WebSocketHandlers<Void>(
            open: { ws in
                ws.subscribe(to: "a")
                ws.subscribe(to: "b")
            },
            message: { ws, _ in
                for number in 0..<100 {
                    ws.publish("\(number)", to: number.isMultiple(of: 2) ? "a" : "b")
                    ws.send("direct \(number)")
                }
            })
        try await serving(handlers, { $0.loops = .count(1) }) { server in
            let (sender, receiver) = (try SocketClient(port: server.port), try SocketClient(port: server.port))
            #expect(eventually { server.subscriberCount(of: "b") == 2 })
            try sender.send("go")
            for number in 0..<100 {
                #expect(try receiver.readText() == "\(number)")
                #expect(try sender.readText() == "direct \(number)")
            }
        }
    }

    @Test func `64 members over two loops each get every message exactly once, in order per sender`() async throws {
        let chat = WebSocketHandlers<Void>(
            options: .init(publishToSelf: true),
            open: { ws in ws.subscribe(to: "chat") }, message: { ws, message in ws.publish(message, to: "chat") })
        try await serving(chat) { server in
            let clients = try (0..<64).map { _ in try SocketClient(port: server.port) }
            #expect(eventually { server.subscriberCount(of: "chat") == 64 })
            #expect(eventually { server.statistics.map(\.sockets) == [32, 32] })
            for number in 0..<10 {
                for (sender, client) in clients.enumerated() { try client.send("\(sender) \(number)") }
            }
            for client in clients {
                var next = [Int](repeating: 0, count: 64)
                for _ in 0..<640 {
                    let words = try client.readText().split(separator: " ").map { Int($0)! }
                    #expect(next[words[0]] == words[1])
                    next[words[0]] += 1
                }
                #expect(next.allSatisfy { $0 == 10 })
            }
            #expect(server.statistics.reduce(0) { $0 + $1.deliveries } == 64 * 640)
        }
    }

    @Test func `a received message is published as the kind it came`() async throws {
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "t") }, message: { ws, message in ws.publish(message, to: "t") })
        try await serving(handlers) { server in
            let clients = try (0..<3).map { _ in try SocketClient(port: server.port) }
            #expect(eventually { server.subscriberCount(of: "t") == 3 })
            let payload = (0..<100_000).map { UInt8($0 & 0x7F) }
            try clients[0].send(.text, payload)
            try clients[0].send(.binary, payload)
            for client in clients[1...] {
                #expect(try client.read() == .init(opcode: .text, payload: payload))
                #expect(try client.read() == .init(opcode: .binary, payload: payload))
            }
        }
    }
}
