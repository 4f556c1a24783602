import Ringcast
import Synchronization
import Testing

/// A burst within one turn reaches a socket that cannot have taken anything yet, so that every count is exact: of
/// frames of 32 KB, two go into the send queue, and 32 reach the limit of 1 MB.
@Suite struct SlowConsumerTests {
    static let frame = 32 << 10
    static let limit = 1 << 20
    static let kept = 32

    /// A frame's payload: its number, then zeros.
    static func payload(_ number: Int, count: Int = frame) -> [UInt8] {
        [UInt8(number >> 8), UInt8(number & 0xFF)] + [UInt8](repeating: 0, count: count - 2)
    }

    static func number(_ frame: SocketClient.Frame) -> Int { Int(frame.payload[0]) << 8 | Int(frame.payload[1]) }

    /// Subscribes to "t"; a message publishes 100 numbered frames to it, the sender included, and says what is queued
    /// then.
    static func burst(_ journal: Journal<Int> = Journal(), closes: Bool = false) -> WebSocketHandlers<Void> {
        WebSocketHandlers(
            options: .init(backpressureLimit: limit, closeOnBackpressureLimit: closes, publishToSelf: true),
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in
                for number in 0..<100 { ws.publish(payload(number), to: "t") }
                journal.note(ws.bufferedAmount)
            })
    }

    /// Serves the burst to one client. Returns what it read, until so many frames or a Close, and the server's figures.
    static func burst(
        _ policy: SlowConsumerPolicy, closes: Bool = false, count: Int, prepare: @Sendable (Server) -> Void = { _ in }
    ) async throws -> (numbers: [Int], close: String?, figures: ServerStatistics) {
        let result = Mutex<([Int], String?, ServerStatistics)>(([], nil, ServerStatistics()))
        let journal = Journal<Int>()
        let handlers = burst(journal, closes: closes)
        try await serving(
            handlers,
            {
                $0.loops = .count(1)
                $0.slowConsumerPolicy = policy
            }
        ) { server in
            prepare(server)
            let client = try SocketClient(port: server.port)
            try client.send("go")
            var numbers: [Int] = []
            var close: String?
            while numbers.count < count {
                let frame = try client.read()
                if let code = frame.closeCode, frame.opcode == .close {
                    close = "\(code) \(frame.closeReason)"
                    break
                }
                numbers.append(number(frame))
            }
            #expect(journal.wait()[0] <= limit + frame + 4 + 125)
            #expect(eventually { sum(server).deliveries + drops(sum(server)) == 100 }, "\(sum(server))")
            result.withLock { $0 = (numbers, close, sum(server)) }
        }
        return result.withLock { $0 }
    }

    static func sum(_ server: Server) -> ServerStatistics { server.statistics.reduce(ServerStatistics(), +) }

    static func drops(_ figures: ServerStatistics) -> Int {
        figures.dropsAtLimit + figures.dropsClosed + figures.dropsEvicted + figures.dropsSuperseded
            + figures.dropsInLanes
    }

    @Test func `dropNewest keeps what came first`() async throws {
        let (numbers, _, figures) = try await Self.burst(.dropNewest, count: Self.kept)
        #expect(numbers == Array(0..<32))
        #expect(figures.dropsAtLimit == 68)
    }

    @Test func `dropOldest keeps what the kernel may be sending, and the newest`() async throws {
        let (numbers, _, figures) = try await Self.burst(.dropOldest, count: Self.kept)
        #expect(numbers == [0, 1] + Array(70..<100))
        #expect(figures.dropsEvicted == 68)
    }

    @Test func `latest keeps what the kernel may be sending, and the last one`() async throws {
        let (numbers, _, figures) = try await Self.burst(.latest, count: 3)
        #expect(numbers == [0, 1, 99])
        #expect(figures.dropsSuperseded == 97)
    }

    @Test func `close sends what was queued and then the code`() async throws {
        let (numbers, close, figures) = try await Self.burst(.close(1013), count: 100)
        #expect(numbers == Array(0..<32))
        #expect(close == "1013 slow consumer")
        #expect(figures.dropsAtLimit == 1 && figures.dropsClosed == 67)
    }

    @Test(arguments: [SlowConsumerPolicy.dropNewest, .dropOldest, .close(1001)])
    func `closeOnBackpressureLimit goes before the policy`(policy: SlowConsumerPolicy) async throws {
        let (numbers, close, figures) = try await Self.burst(policy, closes: true, count: 100)
        #expect(numbers == Array(0..<32))
        #expect(close == "1013 backpressure limit")
        #expect(figures.dropsAtLimit == 1 && figures.dropsClosed == 67)
    }

    @Test func `a topic's own policy goes before the server's, until it is taken back`() async throws {
        let override = try await Self.burst(.dropNewest, count: 3) { server in
            server.setSlowConsumerPolicy(.latest, for: "t")
            #expect(server.slowConsumerPolicy(of: "t") == .latest)
            #expect(server.slowConsumerPolicy(of: "u") == .dropNewest)
        }
        #expect(override.numbers == [0, 1, 99])
        let restored = try await Self.burst(.dropOldest, count: Self.kept) { server in
            server.setSlowConsumerPolicy(.latest, for: "t")
            server.setSlowConsumerPolicy(nil, for: "t")
            #expect(server.slowConsumerPolicy(of: "t") == .dropOldest)
        }
        #expect(restored.numbers == [0, 1] + Array(70..<100))
    }

    @Test func `each topic has its own latest, and neither direct sends nor other topics are evicted`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: Self.limit, publishToSelf: true),
            open: { ws in for topic in ["fill", "a", "b", "old", "plain"] as [Topic] { ws.subscribe(to: topic) } },
            message: { ws, _ in
                for _ in 0..<3 { ws.publish(Self.payload(0), to: "fill") }
                for number in 1...3 {
                    for topic in ["a", "b", "old", "plain"] as [Topic] { ws.publish("\(topic) \(number)", to: topic) }
                    ws.send("direct \(number)")
                    ws.ping("\(number)")
                }
                for _ in 0..<40 { ws.publish([UInt8](repeating: 0, count: Self.frame), to: "old") }
            })
        try await serving(handlers, { $0.loops = .count(1) }) { server in
            for topic in ["a", "b", "fill"] as [Topic] { server.setSlowConsumerPolicy(.latest, for: topic) }
            server.setSlowConsumerPolicy(.dropOldest, for: "old")
            let client = try SocketClient(port: server.port)
            try client.send("go")
            for number in 1...3 { #expect(try client.read() == .init(opcode: .ping, payload: Array("\(number)".utf8))) }
            for _ in 0..<3 { #expect(try client.read().payload.count == Self.frame) }
            for text in ["plain 1", "direct 1", "plain 2", "direct 2", "a 3", "b 3", "plain 3", "direct 3"] {
                try #require(client.read().text == text)
            }
            // 3 of the 32 frames that fit were there before.
            for _ in 0..<29 { #expect(try client.read().payload.count == Self.frame) }
            #expect(eventually { Self.sum(server).deliveries == 3 + 5 + 29 })
            #expect(Self.sum(server).dropsSuperseded == 4)
            #expect(Self.sum(server).dropsEvicted == 3 + 11)
            try client.send(.ping, [7])
            #expect(try client.read() == .init(opcode: .pong, payload: [7]))
        }
    }

    @Test func `what waits goes out before a Close frame`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(publishToSelf: true),
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in
                for number in 0..<20 { ws.publish(Self.payload(number), to: "t") }
                ws.close(reason: "done")
            })
        try await serving(handlers, { $0.slowConsumerPolicy = .dropOldest }) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            for number in 0..<20 { #expect(Self.number(try client.read()) == number) }
            #expect(try client.read().closeReason == "done")
        }
    }

    @Test func `what waits goes out before the answer to a Close`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(publishToSelf: true),
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in
                for number in 0..<20 { ws.publish(Self.payload(number), to: "t") }
            })
        try await serving(handlers, { $0.slowConsumerPolicy = .dropOldest }) { server in
            let client = try SocketClient(port: server.port)
            // In one turn, as a rule: nothing has left when the Close comes.
            try client.connection.send(SocketClient.encode(.text, [1]) + SocketClient.encode(.close, [3, 232]))
            for number in 0..<20 { #expect(Self.number(try client.read()) == number) }
            #expect(try client.read().closeCode == 1000)
        }
    }

    @Test func `drain comes once, after the backlog has left too`() async throws {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(publishToSelf: true),
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in
                for number in 0..<20 { ws.publish(Self.payload(number), to: "t") }
                journal.note("\(ws.send("direct")) \(ws.bufferedAmount > 20 * Self.frame)")
            },
            drain: { ws in
                journal.note("drain \(ws.bufferedAmount)")
                ws.send("drained")
            })
        try await serving(handlers, { $0.slowConsumerPolicy = .dropOldest }) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            for number in 0..<20 { #expect(Self.number(try client.read()) == number) }
            #expect(try client.readText() == "direct")
            #expect(try client.readText() == "drained")
            #expect(journal.entries == ["backpressure true", "drain 0"])
        }
    }

    @Test(arguments: [SlowConsumerPolicy.dropNewest, .dropOldest, .latest])
    func `who reads gets everything, who stalls what the policy leaves, and every drop is counted`(
        policy: SlowConsumerPolicy
    ) async throws {
        let journal = Journal<Int>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: Self.limit),
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in
                journal.note(ws.bufferedAmount)
                ws.close()
            })
        try await serving(handlers, { $0.slowConsumerPolicy = policy }) { server in
            // Both loops have some of either.
            let readers = try (0..<3).map { _ in try SocketClient(port: server.port) }
            let stalled = try (0..<3).map { _ in try SocketClient(port: server.port, receiveBuffer: 4_096) }
            #expect(eventually { server.subscriberCount(of: "t") == 6 })
            let sent = 400
            for number in 0..<sent {
                #expect(server.publish(Self.payload(number, count: 60_000), to: "t") != .dropped)
                for reader in readers { #expect(Self.number(try reader.read()) == number) }
            }
            for client in stalled { try client.send("how much") }
            #expect(journal.wait(for: 3).allSatisfy { $0 <= Self.limit + 60_004 })
            let received = try stalled.map { client in
                var numbers: [Int] = []
                while true {
                    let frame = try client.read()
                    if frame.opcode == .close { return numbers }
                    numbers.append(Self.number(frame))
                }
            }
            for numbers in received {
                #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count, "exactly once, in order")
                if policy != .dropNewest { #expect(numbers.last == sent - 1) }
            }
            #expect(eventually { Self.sum(server).deliveries + Self.drops(Self.sum(server)) == 6 * sent })
            #expect(Self.sum(server).deliveries == 3 * sent + received.reduce(0) { $0 + $1.count })
            #expect(Self.drops(Self.sum(server)) > 0)
        }
    }
}
