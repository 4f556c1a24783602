import Ringcast
import Synchronization
import Testing

/// What a reference is told has room of its own: a full lane refuses messages, not a close.
@Suite struct FullLaneTests {
    private typealias Reference = WebSocketRef<Void>

    private static func handlers(
        _ gate: LaneTests.Gate, _ journal: Journal<String>, _ first: Shared
    ) -> WebSocketHandlers<Void> {
        WebSocketHandlers(
            options: .init(backpressureLimit: 256 << 20),
            open: { ws in
                ws.subscribe(to: "t")
                let reference = ws.reference
                first.reference.withLock { $0 = $0 ?? reference }
            },
            message: { ws, message in
                switch message.string {
                case "hold":
                    journal.note("held")
                    gate.wait()
                case "flood":
                    fill { ws.publish(LaneTests.message, to: "t") }
                    first.reference.withLock { $0 }?.close(.goingAway)
                    journal.note("flooded")
                default: ws.send(message)
                }
            })
    }

    private static func fill(_ publish: () -> SendResult) {
        for _ in 0..<1_000 where publish() == .dropped { return }
    }

    @Test func `pause and resume from another thread are not lost when the lane is full, and keep their order`()
        async throws
    {
        let (gate, journal) = (LaneTests.Gate(), Journal<String>())
        let first = Shared()
        try await serving(Self.handlers(gate, journal, first), { $0.loops = .count(1) }) { server in
            let (client, reference) = try Self.fillLane(of: server, journal, first)
            for _ in 0..<1_000 {
                reference.pause()
                reference.resume()
            }
            try client.send("still read")
            gate.open()
            var text = ""
            while text != "still read" {
                let frame = try client.read()
                if frame.opcode == .text { text = frame.text }
            }
            reference.close(.goingAway)
            #expect(try client.readClose().closeCode == 1001)
        }
    }

    @Test func `what is said through a full lane is refused to whoever says it, and counted`() async throws {
        let (gate, journal) = (LaneTests.Gate(), Journal<String>())
        let first = Shared()
        try await serving(
            Self.handlers(gate, journal, first),
            {
                $0.loops = .count(1)
                $0.topics = [.matching("total", order: .total)]
            }
        ) { server in
            let (client, reference) = try Self.fillLane(of: server, journal, first)
            let before = server.totals.dropsInLanes
            #expect(reference.send("one") == .dropped)
            #expect(reference.ping("two") == .dropped)
            #expect(reference.publish("three", to: "t") == .dropped)
            #expect(server.totals.dropsInLanes == before + 3)
            #expect(server.publish("kept by nobody", to: "total", retain: true) == .dropped)
            gate.open()
            try client.send("still read")
            while true {
                let frame = try client.read()
                let wasRefused = frame.opcode == .ping || ["one", "three", "more"].contains(frame.text)
                #expect(!wasRefused, "\(frame.opcode)")
                if frame.text == "still read" { break }
            }
            #expect(reference.send("again") != .dropped)
            #expect(try client.readText() == "again")
        }
    }

    /// A client whose loop stands still, behind a lane for other threads that is full, and its reference.
    private static func fillLane(
        of server: Server, _ journal: Journal<String>, _ first: Shared
    ) throws -> (SocketClient, Reference) {
        let client = try SocketClient(port: server.port)
        try client.send("hold")
        #expect(journal.wait() == ["held"])
        fill { server.publish(LaneTests.message, to: "t") }
        #expect(server.publish("more", to: "t") == .dropped)
        return (client, try #require(first.reference.withLock { $0 }))
    }

    @Test func `a close from another loop is not lost when the lane is full, and comes behind what was accepted`()
        async throws
    {
        let (gate, journal) = (LaneTests.Gate(), Journal<String>())
        let first = Shared()
        try await serving(Self.handlers(gate, journal, first)) { server in
            let held = try SocketClient(port: server.port)
            // Before the first one's loop stands still: that one may be the loop that accepts it.
            let other = try SocketClient(port: server.port)
            try held.send("hold")
            #expect(journal.wait() == ["held"])
            try other.send("flood")
            #expect(journal.wait(for: 2) == ["held", "flooded"])
            gate.open()
            var count = 0
            while true {
                let frame = try held.read()
                if frame.opcode == .close {
                    #expect(frame.closeCode == 1001)
                    break
                }
                count += 1
            }
            #expect(count >= 64, "everything that the lane had taken")
        }
    }

    /// The first reference, shared with the handlers.
    private final class Shared: Sendable {
        let reference = Mutex<Reference?>(nil)
    }
}
