import Ringcast
import Synchronization
import Testing

@Suite struct RetainTests {
    /// 1, 2, 3, …
    final class Counter: Sendable {
        private let count = Atomic(0)
        func advance() -> Int { count.add(1, ordering: .relaxed).newValue }
    }

    /// "in" and "out" subscribe to "t" and end that, with "begin" and "end" around what comes between.
    static let handlers = WebSocketHandlers<Void>(message: { ws, message in
        switch message.string {
        case "in":
            ws.send("begin")
            ws.send("\(ws.subscribe(to: "t"))")
        case "out":
            ws.unsubscribe(from: "t")
            ws.send("end")
        case let text: ws.publish(text, to: "t", retain: true)
        }
    })

    @Test func `a new subscriber gets the last message, before subscribe returns, on whichever loop it is`()
        async throws
    {
        try await serving(Self.handlers) { server in
            let clients = try (0..<4).map { _ in try SocketClient(port: server.port) }
            #expect(
                server.publish("one", to: "t", retain: true) == .sent(bytes: 3), "nobody is subscribed, but it is kept")
            #expect(server.publish("lost", to: "t") == .dropped)
            for client in clients {
                try client.send("in")
                for text in ["begin", "one", "true"] { #expect(try client.readText() == text) }
                try client.send("in")
                for text in ["begin", "false"] { #expect(try client.readText() == text) }
            }
            try clients[0].send("two")
            for client in clients[1...] { #expect(try client.readText() == "two") }
            try clients[0].send("out")
            try clients[0].send("in")
            for text in ["end", "begin", "two", "true"] { #expect(try clients[0].readText() == text) }
            #expect(server.retainedUsage == TopicUsage(topics: 1, bytes: 5))
        }
    }

    @Test func `what is cleared does not come`() async throws {
        try await serving(Self.handlers) { server in
            let client = try SocketClient(port: server.port)
            server.publish([1, 2], to: "t", retain: true)
            #expect(server.clearRetained(of: "t"))
            #expect(!server.clearRetained(of: "t"))
            #expect(server.retainedUsage == TopicUsage(topics: 0, bytes: 0))
            try client.send("in")
            for text in ["begin", "true"] { #expect(try client.readText() == text) }
        }
    }

    @Test func `what does not fit within the bounds is published and not retained`() async throws {
        try await serving(
            Self.handlers,
            {
                $0.limits.retainedTopics = 1
                $0.limits.retainedBytes = 100
            }
        ) { server in
            #expect(server.publish("x", to: "u", retain: true) == .sent(bytes: 1))
            #expect(server.publish("x", to: "t", retain: true) == .dropped)
            let client = try SocketClient(port: server.port)
            try client.send("in")
            for text in ["begin", "true"] { #expect(try client.readText() == text) }
            #expect(server.publish("y", to: "t", retain: true) == .sent(bytes: 1))
            #expect(try client.readText() == "y")
            #expect(server.publish(String(repeating: "x", count: 99), to: "u", retain: true) == .dropped)
            #expect(server.retainedUsage == TopicUsage(topics: 0, bytes: 0))
        }
    }

    /// One thread, or one loop, publishes numbers, every third retained, while clients on all loops come and go. Each
    /// subscription has to see a retained number first and then every one published later, once and in order.
    static func checkComingAndGoing(
        _ client: SocketClient, rounds: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Int {
        var received = 0
        for round in 0..<rounds {
            try client.send("in")
            #expect(try client.readText() == "begin")
            if round % 3 == 1 { pause(.microseconds(500)) }
            var (last, count) = (0, 0)
            try client.send("out")
            while true {
                let text = try client.readText()
                if text == "end" { break }
                if text == "true" { continue }
                let number = Int(text)!
                switch count {
                case 0: #expect(number.isMultiple(of: 3), sourceLocation: sourceLocation)
                // What was not retained and published before the subscription is over.
                case 1: #expect((1...3).contains(number - last), sourceLocation: sourceLocation)
                default: #expect(number == last + 1, sourceLocation: sourceLocation)
                }
                count += 1
                last = number
            }
            received += count
            #expect(count > 0, "the retained message did not come", sourceLocation: sourceLocation)
        }
        return received
    }

    @Test func `exactly once while a thread publishes and clients come and go`() async throws {
        try await serving(Self.handlers, { $0.loops = .count(3) }) { server in
            server.publish("0", to: "t", retain: true)
            let clients = try (0..<6).map { _ in try SocketClient(port: server.port) }
            let next = Counter()
            let publisher = RepeatingThread {
                for _ in 0..<50 {
                    let number = next.advance()
                    server.publish("\(number)", to: "t", retain: number.isMultiple(of: 3))
                }
                pause(.microseconds(200))
            }
            defer { publisher.stop() }
            for _ in 0..<10 {
                for client in clients { #expect(try Self.checkComingAndGoing(client, rounds: 10) >= 10) }
            }
        }
    }

    @Test func `exactly once while a loop publishes and clients come and go`() async throws {
        let next = Counter()
        let publisher = WebSocketHandlers<Void>(message: { ws, _ in
            for _ in 0..<20 {
                let number = next.advance()
                ws.publish("\(number)", to: "t", retain: number.isMultiple(of: 3))
            }
            ws.send("done")
        })
        try await serving(
            { $0.loops = .count(2) },
            fetch: { request in .upgrade(to: request.path == "/publish" ? publisher : Self.handlers) }
        ) { server in
            server.publish("0", to: "t", retain: true)
            let source = try SocketClient(port: server.port, path: "/publish")
            let clients = try (0..<3).map { _ in try SocketClient(port: server.port) }
            for _ in 0..<20 {
                for _ in 0..<30 { try source.send("go") }
                for client in clients { #expect(try Self.checkComingAndGoing(client, rounds: 10) >= 10) }
                for _ in 0..<30 { #expect(try source.readText() == "done") }
            }
        }
    }
}
