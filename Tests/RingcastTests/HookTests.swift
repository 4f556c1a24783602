import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

@Suite(.endingAll) struct HookTests {
    struct Change: Equatable, Sendable {
        let topic: Topic
        let before: Int
        let after: Int
    }

    @Test func `subscription hears of every change with its count, also of those that a close makes`() async throws {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            message: { ws, message in
                let topic = Topic(String(message.string.dropFirst()))
                let changed = message.string.first == "+" ? ws.subscribe(to: topic) : ws.unsubscribe(from: topic)
                journal.note("\(changed)")
            },
            close: { ws, _, _ in journal.note("close \(ws.subscriptions)") },
            subscription: { _, topic, before, after in journal.note("\(topic) \(before) \(after)") })
        try await serving(handlers) { server in
            let clients = try (0..<2).map { _ in try SocketClient(port: server.port) }
            #expect(eventually { server.statistics.map(\.sockets) == [1, 1] })
            let steps: [(Int, String, [String])] = [
                (0, "+a", ["a 0 1", "true"]), (0, "+a", ["false"]), (1, "+a", ["a 1 2", "true"]),
                (0, "+b", ["b 0 1", "true"]), (1, "-b", ["false"]), (0, "-a", ["a 2 1", "true"]),
                (0, "+a", ["a 1 2", "true"]),
            ]
            var expected: [String] = []
            for (client, text, entries) in steps {
                try clients[client].send(text)
                expected += entries
                #expect(journal.wait(for: expected.count) == expected)
            }
            try clients[0].sendClose()
            expected += ["close [b, a]", "a 2 1", "b 1 0"]
            #expect(journal.wait(for: expected.count) == expected)
            clients[1].connection.reset()
            expected += ["close [a]", "a 1 0"]
            #expect(journal.wait(for: expected.count) == expected)
        }
    }

    @Test func `the counts of all loops are one sequence, whatever happens at the same time`() async throws {
        let journal = Journal<Change>()
        let handlers = WebSocketHandlers<Void>(
            message: { ws, _ in
                for _ in 0..<100 {
                    ws.subscribe(to: "t")
                    ws.unsubscribe(from: "t")
                }
                ws.subscribe(to: "t")
            },
            subscription: { _, topic, before, after in
                journal.note(Change(topic: topic, before: before, after: after))
            })
        try await serving(handlers, { $0.loops = .count(4) }) { server in
            let clients = try (0..<8).map { _ in try SocketClient(port: server.port) }
            for client in clients { try client.send("go") }
            let changes = journal.wait(for: 8 * 201)
            #expect(changes.count == 8 * 201)
            #expect(changes.allSatisfy { abs($0.after - $0.before) == 1 && $0.before >= 0 && $0.after >= 0 })
            // Each height is passed upwards once more than downwards, up to where it ends.
            for height in 0..<8 {
                let up = changes.count { $0.before == height && $0.after == height + 1 }
                let down = changes.count { $0.before == height + 1 && $0.after == height }
                #expect(up - down == 1)
            }
            #expect(server.subscriberCount(of: "t") == 8)
        }
    }

    @Test func `a socket leaves its topics when it begins to close, and what is told of a topic is in order`() {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            message: { ws, message in
                if message.string == "join" { ws.subscribe(to: "t") } else { ws.close() }
                journal.note(message.string)
            },
            close: { ws, _, _ in journal.note("close \(ws.subscriptions)") },
            subscription: { _, topic, before, after in journal.note("\(topic) \(before) \(after)") })
        let server = SimulatedServer(handlers)
        let sockets = (0..<3).map { _ in server.open() }
        for socket in sockets[..<2] { socket.send("join") }
        sockets[0].send("leave")
        #expect(server.core.registry.find("t")?.subscriberCount == 1)
        #expect(server.core.registry.list().map(\.subscribers) == [1])
        sockets[2].send("join")
        sockets[0].send(.close, [3, 232])
        #expect(
            journal.entries == ["t 0 1", "join", "t 1 2", "join", "leave", "t 2 1", "t 1 2", "join", "close [t]"])
        #expect(server.core.registry.find("t")?.subscriberCount == 2)
    }

    @Test func `an error of the subscription handler goes to error and closes with 1011`() async throws {
        struct Refused: Error {}
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "t") }, subscription: { _, _, _, after in if after == 1 { throw Refused() } }
        )
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            #expect(try client.readClose().closeCode == 1011)
        }
    }

    static let options = WebSocketOptions(backpressureLimit: 1 << 20)

    @Test func `dropped hears of a message that was sent and did not fit, also from elsewhere`() async throws {
        let journal = Journal<String>()
        let references = Journal<WebSocketRef<Void>>()
        let handlers = WebSocketHandlers<Void>(
            options: Self.options,
            message: { ws, _ in
                let taken = BackpressureTests.flood(ws, until: .dropped)
                ws.send("last")
                if taken == 1 { references.note(ws.reference) }
            },
            dropped: { ws, message in
                journal.note(message.isText ? message.string : "\(message.byteCount)")
                // Dropped as well, and not reported.
                ws.send("from the handler")
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port, receiveBuffer: 4_096)
            var expected: [String] = []
            // The kernel takes some of the first ones; then nothing moves any more.
            while references.entries.isEmpty {
                try client.send("go")
                expected += ["65536", "last"]
                #expect(journal.wait(for: expected.count) == expected)
                try #require(expected.count < 1_000)
                pause(.milliseconds(50))
            }
            let reference = references.entries[0]
            reference.send("from elsewhere")
            reference.send([UInt8](repeating: 1, count: 300))
            expected += ["from elsewhere", "300"]
            #expect(journal.wait(for: expected.count) == expected)
            #expect(eventually { server.statistics.reduce(0) { $0 + $1.dropsAtLimit } == UInt64(2 * expected.count) })
        }
    }

    @Test(arguments: [SlowConsumerPolicy.dropNewest, .dropOldest, .latest])
    func `dropped hears of every message of a topic that a slow subscriber misses`(_ policy: SlowConsumerPolicy)
        async throws
    {
        let journal = Journal<Int>()
        let handlers = WebSocketHandlers<Void>(
            options: Self.options,
            open: { ws in ws.subscribe(to: "t") },
            dropped: { ws, message in
                let number = message.bytes.prefix(2).reduce(0) { $0 << 8 | Int($1) }
                journal.note(message.byteCount == 50_000 ? number : -1)
            })
        try await serving(handlers, { $0.slowConsumerPolicy = policy }) { server in
            let slow = try [0, 1].map { _ in try SocketClient(port: server.port, receiveBuffer: 4_096) }
            #expect(eventually { server.subscriberCount(of: "t") == 2 })
            let count = 400
            for number in 0..<count {
                server.publish(
                    [UInt8(number >> 8), UInt8(number & 0xFF)] + [UInt8](repeating: 0, count: 49_998), to: "t")
                if number % 20 == 0 { pause(.milliseconds(2)) }
            }
            var delivered: [Int] = []
            // Until each message has come to each of them, or is known to have been dropped.
            let isComplete = eventually {
                for client in slow {
                    while client.connection.hasInput(within: 0), let frame = try? client.read() {
                        delivered.append(frame.payload.prefix(2).reduce(0) { $0 << 8 | Int($1) })
                    }
                }
                return delivered.count + journal.entries.count >= 2 * count
            }
            #expect(isComplete)
            #expect(!journal.entries.isEmpty && !delivered.isEmpty)
            // Each of them once: delivered, or dropped and reported.
            #expect((delivered + journal.entries).sorted() == (0..<count).flatMap { [$0, $0] })
        }
    }
}
