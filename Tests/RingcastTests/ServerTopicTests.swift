import Ringcast
import Testing

/// What a server tells of a topic's sockets, and does for all of them but one.
@Suite struct ServerTopicTests {
    /// Subscribes everybody to "t", and publishes for all but the socket of a number when "/except/N" is asked for.
    private func withMembers(
        _ order: TopicOrder, _ body: @Sendable (Server, [SocketClient], [WebSocketRef<Int>]) throws -> Void
    ) async throws {
        let references = Journal<WebSocketRef<Int>>()
        let handlers = WebSocketHandlers<Int>(open: { ws in
            ws.subscribe(to: "t")
            references.note(ws.reference)
        })
        try await serving(
            { $0.topics = [.matching("t", order: order)] },
            fetch: { request in
                guard let number = Int(request.path.dropFirst("/except/".count)) else {
                    return .upgrade(to: handlers, with: references.entries.count)
                }
                request.server.publish("from a loop", to: "t", except: references.entries[number])
                return .response(.ok)
            }
        ) { server in
            var clients: [SocketClient] = []
            for number in 1...4 {
                clients.append(try SocketClient(port: server.port))
                _ = references.wait(for: number)
            }
            try body(server, clients, references.entries)
        }
    }

    @Test(arguments: [TopicOrder.perPublisher, .total])
    func `a message for all but one goes to all but that one, whoever publishes`(_ order: TopicOrder) async throws {
        try await withMembers(order) { server, clients, references throws in
            let bytes: [UInt8] = [0x62]
            for excluded in clients.indices {
                let one = references[excluded]
                #expect(server.publish("a", to: "t", except: one) == .sent(bytes: 1))
                server.publish(bytes, to: "t", except: one)
                unsafe server.publish(bytes.span.bytes, to: "t", except: one)
                server.publish(OwnedMessage.text("d"), to: "t", except: one)
                server.publish("all", to: "t")
                for (number, client) in clients.enumerated() {
                    let expected = number == excluded ? ["all"] : ["a", "b", "b", "d", "all"]
                    for text in expected { #expect(try client.read().text == text) }
                }
            }
        }
    }

    @Test(arguments: [TopicOrder.perPublisher, .total])
    func `also from a loop, its own sockets and those of others`(_ order: TopicOrder) async throws {
        try await withMembers(order) { server, clients, _ throws in
            for excluded in clients.indices {
                // Each connection is on the next loop.
                for _ in 0..<2 { #expect(try TCPClient(port: server.port).get("/except/\(excluded)").status == 200) }
                for (number, client) in clients.enumerated() where number != excluded {
                    for _ in 0..<2 { #expect(try client.readText() == "from a loop") }
                }
                server.publish("all", to: "t")
                for client in clients { #expect(try client.readText() == "all") }
            }
        }
    }

    @Test func `a closed socket, or one of another server, excludes nobody`() async throws {
        try await withMembers(.perPublisher) { server, clients, references throws in
            try clients[3].sendClose()
            #expect(eventually { references[3].isClosed })
            server.publish("a", to: "t", except: references[3])
            for client in clients.prefix(3) { #expect(try client.readText() == "a") }
        }
    }

    @Test func `the sockets of a topic are listed, of one type of data, while they are open`() async throws {
        let handlers = WebSocketHandlers<Int>(open: { ws in if ws.data < 4 { ws.subscribe(to: "t") } })
        let others = WebSocketHandlers<String>(open: { ws in ws.subscribe(to: "t") })
        let count = Journal<Int>()
        try await serving(fetch: { request in
            if request.path == "/other" { return .upgrade(to: others, with: "x") }
            count.note(0)
            return .upgrade(to: handlers, with: count.entries.count - 1)
        }) { server in
            #expect(try awaited { await server.sockets(in: "t", of: Int.self) } == [])
            let clients = try (0..<5).map { _ in try SocketClient(port: server.port) }
            let other = try SocketClient(port: server.port, path: "/other")
            #expect(eventually { server.subscriberCount(of: "t") == 5 })
            let sockets: [WebSocketRef<Int>] = try awaited { await server.sockets(in: "t") }
            let numbers = try sockets.map { socket in try awaited { await socket.perform { ws in ws.data } } }
            #expect(Set(numbers) == [0, 1, 2, 3] && sockets.count == 4)
            #expect(try awaited { await server.sockets(in: "t", of: String.self) }.count == 1)
            try clients[0].sendClose()
            #expect(eventually { server.subscriberCount(of: "t") == 4 })
            #expect(try awaited { await server.sockets(in: "t", of: Int.self) }.count == 3)
            withExtendedLifetime(other) {}
        }
    }

    @Test func `totals are the sum of what the loops have done`() async throws {
        try await serving(ClientTests.echo) { server in
            let clients = try (0..<4).map { _ in try SocketClient(port: server.port) }
            for client in clients {
                try client.send("x")
                #expect(try client.readText() == "x")
            }
            #expect(eventually { server.totals.messagesIn == 4 && server.totals.messagesOut == 4 })
            #expect(server.totals.sockets == 4 && server.totals.driver != nil)
            #expect(server.statistics.allSatisfy { $0.messagesIn == 2 })
        }
    }

    /// Most of this test is that it compiles.
    @Test func `a string is a topic's name wherever a topic is taken`() async throws {
        let name = String("t/1")
        let handlers = WebSocketHandlers<Void>(
            open: { ws in
                let (isNew, isSubscribed) = (ws.subscribe(to: name), ws.isSubscribed(to: name))
                #expect(isNew && isSubscribed)
                ws.publish("text", to: name)
                ws.publish([1], to: name)
                ws.publish(OwnedMessage.text("x"), to: name, retain: true)
            },
            message: { ws, message in ws.server.publish(message, to: name) },
            pong: { ws, _ in ws.unsubscribe(from: name) })
        try await serving(handlers) { server in
            server.setOrder(.total, for: name)
            #expect(server.order(of: name) == .total && server.order(of: "t/2") == .perPublisher)
            let client = try SocketClient(port: server.port)
            #expect(eventually { server.subscriberCount(of: name) == 1 })
            #expect(eventually { server.clearRetained(of: name) })
            let sockets: [WebSocketRef<Void>] = try awaited { await server.sockets(in: name) }
            server.publish("no", to: name, except: sockets[0])
            sockets[0].publish("neither", to: name)
            try client.send("hi")
            #expect(try client.readText() == "hi")
            try client.send(.pong, [])
            #expect(eventually { server.subscriberCount(of: name) == 0 })
            #expect(try awaited { await sockets[0].subscribe(to: name) })
            server.publish("again", to: name)
            #expect(try client.readText() == "again")
        }
    }
}
