import Ringcast
import Synchronization
import Testing

/// What waits for a loop is bounded. The loop under test stands still inside a handler, so that every count is exact:
/// of messages of 1 MiB, 64 reach the bound of 64 MiB, and 16 the watermark.
@Suite struct LaneTests {
    static let message = [UInt8](repeating: 7, count: 1 << 20)

    final class Gate: Sendable {
        private let isOpen = Atomic(false)
        func open() { isOpen.store(true, ordering: .releasing) }
        /// Holds the calling loop; not for ever.
        func wait() {
            for _ in 0..<60_000 where !isOpen.load(ordering: .acquiring) { pause(.milliseconds(1)) }
        }
    }

    /// Subscribes to "t"; "hold" stops its loop at the gate, "publish" fills the lanes to the others.
    static func handlers(_ gate: Gate, _ journal: Journal<String>) -> WebSocketHandlers<Void> {
        WebSocketHandlers(
            options: .init(maxPayloadLength: 16, backpressureLimit: 256 << 20),
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, message in
                switch message.string {
                case "hold":
                    journal.note("held")
                    gate.wait()
                default:
                    for _ in 0..<256 { ws.publish("small", to: "t") }
                    journal.note(tally { ws.publish(Self.message, to: "t") })
                }
            })
    }

    /// Publishes 70 times.
    static func tally(_ publish: () -> SendResult) -> String {
        var (sent, backpressure, dropped) = (0, 0, 0)
        for _ in 0..<70 {
            switch publish() {
            case .sent: sent += 1
            case .backpressure: backpressure += 1
            case .dropped: dropped += 1
            }
        }
        return "\(sent) sent, \(backpressure) backpressure, \(dropped) dropped"
    }

    static let expected = "15 sent, 49 backpressure, 6 dropped"

    @Test func `a thread hears of backpressure, and of drops at the bound, and what was accepted arrives`() async throws
    {
        let (gate, journal) = (Gate(), Journal<String>())
        try await serving(Self.handlers(gate, journal), { $0.loops = .count(1) }) { server in
            let client = try SocketClient(port: server.port)
            try client.send("hold")
            #expect(journal.wait() == ["held"])
            #expect(Self.tally { server.publish(Self.message, to: "t") } == Self.expected)
            #expect(server.statistics[0].dropsInLanes == 6)
            gate.open()
            for _ in 0..<64 { #expect(try client.read().payload.count == 1 << 20) }
            // That the reader has caught up is known a turn later.
            #expect(eventually { server.publish("on", to: "t") == .sent(bytes: 2) })
            #expect(try client.readText() == "on")
        }
    }

    @Test func `a drop in a lane counts every subscriber that misses the message`() async throws {
        let (gate, journal) = (Gate(), Journal<String>())
        try await serving(Self.handlers(gate, journal)) { server in
            // In turn: the first, third and fifth are on the publisher's loop.
            let clients = try (0..<6).map { _ in try SocketClient(port: server.port) }
            #expect(eventually { server.statistics.map(\.sockets) == [3, 3] && server.subscriberCount(of: "t") == 6 })
            try clients[1].send("hold")
            #expect(journal.wait() == ["held"])
            try clients[0].send("publish")
            // Some have got each of them.
            #expect(journal.wait(for: 2)[1] == "15 sent, 55 backpressure, 0 dropped")
            let refused = Self.tally { server.publish("small", to: "t") }
            gate.open()
            for client in clients[1...] {
                let isHeld = client === clients[1] || client === clients[3] || client === clients[5]
                for _ in 0..<256 + (isHeld ? 64 : 70) + 70 { _ = try client.read() }
            }
            // Threads have a lane of their own; that readers on the publisher's loop are behind is known a turn later.
            #expect(refused.hasSuffix(" backpressure, 0 dropped"), "\(refused)")
            let total = { (figure: KeyPath<ServerStatistics, Int>) in
                server.statistics.reduce(0) { $0 + $1[keyPath: figure] }
            }
            #expect(eventually { total(\.dropsInLanes) == 6 * 3 })
            #expect(total(\.deliveries) + total(\.dropsInLanes) == (256 + 70) * 5 + 70 * 6)
        }
    }

    @Test func `a loop hears of what waits in its lane to another one`() async throws {
        let (gate, journal) = (Gate(), Journal<String>())
        try await serving(Self.handlers(gate, journal)) { server in
            let publisher = try SocketClient(port: server.port)
            let held = try SocketClient(port: server.port)
            #expect(eventually { server.statistics.map(\.sockets) == [1, 1] })
            try held.send("hold")
            #expect(journal.wait() == ["held"])
            try publisher.send("publish")
            #expect(journal.wait(for: 2)[1] == Self.expected)
            gate.open()
            for _ in 0..<256 { #expect(try held.readText() == "small") }
            for _ in 0..<64 { #expect(try held.read().payload.count == 1 << 20) }
            #expect(eventually { server.statistics.reduce(0) { $0 + $1.dropsInLanes } == 6 })
        }
    }
}

@Suite struct TopicListingTests {
    @Test func `topics, their subscribers and each socket's subscriptions are listed across loops`() async throws {
        let handlers = WebSocketHandlers<Void>(message: { ws, message in
            let text = message.string
            if text.hasPrefix("-") {
                ws.unsubscribe(from: Topic(String(text.dropFirst())))
            } else {
                ws.subscribe(to: Topic(text))
            }
            ws.send(ws.subscriptions.map(\.name).joined(separator: " "))
        })
        try await serving(handlers) { server in
            func list() -> [String] { server.topics.map { "\($0.topic) \($0.subscriberCount)" }.sorted() }
            let clients = try (0..<4).map { _ in try SocketClient(port: server.port) }
            for client in clients {
                try client.send("all")
                #expect(try client.readText() == "all")
            }
            try clients[0].send("one")
            #expect(try clients[0].readText() == "all one")
            #expect(list() == ["all 4", "one 1"])
            #expect(server.subscriberCount(of: "all") == 4)
            #expect(server.subscriberCount(of: "none") == 0)
            server.publish("kept", to: "quiet", retain: true)
            #expect(list() == ["all 4", "one 1"], "nobody subscribes to it")
            try clients[0].send("-all")
            #expect(try clients[0].readText() == "one")
            #expect(list() == ["all 3", "one 1"])
            try clients[0].sendClose()
            #expect(eventually { list() == ["all 3"] })
            for client in clients[1...] { client.connection.reset() }
            #expect(eventually { list() == [] })
        }
    }
}
