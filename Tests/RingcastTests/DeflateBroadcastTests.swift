import Testing
import WebSocketProtocol

@testable import Ringcast

/// One deflate per publish and class of windows, whoever listens (RFC 7692 §7.2.3.2: without context, a message is the
/// same bytes for everyone).
@Suite struct DeflateBroadcastTests {
    /// Subscribes to "t"; publishes there what it is sent, with a number for its choice: "0" as usual, "1" compressed,
    /// "2" plain. Anything else comes back.
    static func room(_ options: PerMessageDeflate = SocketClient.dedicated) -> WebSocketHandlers<Void> {
        WebSocketHandlers(
            options: .init(perMessageDeflate: options),
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, message in
                switch message.bytes.first {
                case UInt8(ascii: "0"): ws.publish(message, to: "t")
                case UInt8(ascii: "1"): ws.publish(message, to: "t", compress: true)
                case UInt8(ascii: "2"): ws.publish(message, to: "t", compress: false)
                default: ws.send(message)
                }
            })
    }

    static func figures(_ server: Server) -> ServerStatistics { SlowConsumerTests.sum(server) }

    /// Clients by what they offer, one of each kind on each of the two loops.
    static func audience(_ offers: [String?], _ server: Server) throws -> [SocketClient] {
        try offers.flatMap { offer in
            try (0..<2).map { _ in
                try SocketClient(port: server.port, fields: offer.map { SocketClient.offer($0) } ?? [])
            }
        }
    }

    @Test func `a publish is deflated once for each class of windows`() async throws {
        try await serving(Self.room()) { server in
            let noContext = "server_no_context_takeover"
            let audience = try Self.audience(
                [
                    nil, "", noContext, "server_max_window_bits=15", "server_max_window_bits=10",
                    "server_max_window_bits=9",
                    "server_max_window_bits=8; \(noContext)",
                ], server)
            let publisher = try SocketClient(port: server.port)
            #expect(eventually { server.subscriberCount(of: "t") == 15 })
            for round in 1...3 {
                try publisher.send(.text, Array("0".utf8) + DeflateTests.text(4_000, round))
                var counts: [Int: Set<Int>] = [:]
                for client in audience {
                    let frame = try client.read()
                    #expect(frame.payload == Array("0".utf8) + DeflateTests.text(4_000, round))
                    #expect((frame.deflatedCount != nil) == (client.compression != nil))
                    guard let count = frame.deflatedCount, let compression = client.compression else { continue }
                    counts[compression.parameters.serverMaxWindowBits ?? 15, default: []].insert(count)
                }
                #expect(counts.values.allSatisfy { $0.count == 1 })
                #expect(counts[8] == counts[9])
                // 15, 10 and 9.
                #expect(eventually { Self.figures(server).framesDeflated == 3 * round })
                #expect(Self.figures(server).framesEncoded <= 2 * round)
            }
        }
    }

    @Test func `nothing is deflated for nobody`() async throws {
        try await serving(Self.room()) { server in
            let message = Array("0".utf8) + DeflateTests.text(4_000)
            let publisher = try SocketClient(port: server.port, fields: SocketClient.offer())
            let plain = try Self.audience([nil], server)
            #expect(eventually { server.subscriberCount(of: "t") == 3 })
            // On its loop the publisher alone could want it compressed, and it does not get it.
            try publisher.send(.text, message)
            for client in plain { #expect(try client.read().payload == message) }
            let another = try Self.audience([""], server)
            #expect(eventually { server.subscriberCount(of: "t") == 5 })
            let before = Self.figures(server).framesDeflated
            // Short, or not wanted.
            for message in [Array("0short".utf8), Array("2".utf8) + DeflateTests.text(4_000)] {
                try publisher.send(.text, message)
                for client in plain + another {
                    let frame = try client.read()
                    #expect(frame.payload == message && frame.deflatedCount == nil)
                }
            }
            // Wanted; then wanted in vain: it does not become shorter.
            for (message, isShorter) in [(Array("1".utf8) + DeflateTests.text(500), true), (Array("1".utf8), false)] {
                try publisher.send(.text, message)
                for client in another {
                    let frame = try client.read()
                    #expect(frame.payload == message && (frame.deflatedCount != nil) == isShorter)
                }
                for client in plain { #expect(try client.read().payload == message) }
            }
            #expect(eventually { Self.figures(server).framesDeflated == before + 2 })
        }
    }

    @Test func `a loop whose last subscriber left wants no more forms`() async throws {
        try await serving(Self.room()) { server in
            let plain = try Self.audience([nil], server)
            let leaving = try Self.audience([""], server)
            #expect(eventually { server.subscriberCount(of: "t") == 4 })
            for client in leaving + plain { try client.sendClose() }
            #expect(eventually { server.subscriberCount(of: "t") == 0 })
            let audience = try Self.audience([nil], server)
            #expect(eventually { server.subscriberCount(of: "t") == 2 })
            try audience[0].send(.text, Array("0".utf8) + DeflateTests.text(4_000))
            #expect(try audience[1].read().deflatedCount == nil)
            #expect(Self.figures(server).framesDeflated == 0)
        }
    }

    @Test func `a context starts anew behind a broadcast, and direct messages stay right`() async throws {
        try await serving(Self.room()) { server in
            let audience = try Self.audience(["", "server_max_window_bits=9", nil], server)
            #expect(eventually { server.subscriberCount(of: "t") == 6 })
            func echo(_ number: Int) throws -> [Int] {
                let message = Array("echo ".utf8) + DeflateTests.text(2_000, number)
                return try audience.map { client in
                    try client.send(.text, message)
                    let frame = try client.read()
                    #expect(frame.payload == message)
                    return frame.deflatedCount ?? frame.payload.count
                }
            }
            let (first, second) = (try echo(1), try echo(1))
            #expect(second[0] < first[0] / 2)
            for (number, choice) in ["0", "2"].enumerated() {
                let message = Array(choice.utf8) + DeflateTests.text(3_000, number)
                try audience[0].send(.text, message)
                for client in audience.dropFirst() { #expect(try client.read().payload == message) }
                let third = try echo(1)
                // A compressed broadcast ends the context, except the publisher's; a plain one does not.
                #expect((third[1] < first[1] / 2) == (choice == "2"), "\(first) \(third)")
                #expect(third[0] < first[0] / 2)
            }
        }
    }

    @Test func `publishers that are no loops, and references, take part`() async throws {
        let references = Journal<WebSocketRef<Void>>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(perMessageDeflate: true),
            open: { ws in
                ws.subscribe(to: "t")
                references.note(ws.reference)
            })
        try await serving(handlers) { server in
            let audience = try Self.audience(["", nil], server)
            let reference = references.wait(for: 4)[0]
            let text = String(decoding: DeflateTests.text(2_000), as: UTF8.self)
            #expect(server.publish(text, to: "t") == .sent(bytes: text.utf8.count))
            for client in audience { #expect(try client.readText() == text) }
            #expect(eventually { Self.figures(server).framesDeflated == 1 })
            server.publish([UInt8](repeating: 7, count: 100), to: "t", compress: true)
            for client in audience {
                let frame = try client.read()
                #expect(frame.payload.count == 100 && (frame.deflatedCount != nil) == (client.compression != nil))
            }
            #expect(eventually { Self.figures(server).framesDeflated == 2 })
            reference.publish(text, to: "t")
            for client in audience.dropFirst() { #expect(try client.readText() == text) }
            #expect(eventually { Self.figures(server).framesDeflated == 3 })
            server.publish(text, to: "t", compress: false)
            for client in audience.dropFirst() { #expect(try client.read().deflatedCount == nil) }
            #expect(Self.figures(server).framesDeflated == 3)
        }
    }

    @Test func `what a topic retains comes plain`() async throws {
        try await serving(Self.room()) { server in
            let text = String(decoding: DeflateTests.text(2_000), as: UTF8.self)
            server.publish(text, to: "t", retain: true)
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            let frame = try client.read()
            #expect(frame.text == text && frame.deflatedCount == nil)
        }
    }

    /// Noise: what is deflated is nearly as long, so that the slow consumer's limit is reached.
    static func noise(_ number: Int) -> [UInt8] {
        var generator = SeededNoise(state: UInt64(number) + 1)
        // Half of it: it has to become shorter.
        return [UInt8(number)] + (0..<20_000).map { _ in generator.next() } + [UInt8](repeating: 0, count: 20_000)
    }

    @Test(arguments: [SlowConsumerPolicy.dropOldest, .latest, .dropNewest])
    func `policies evict compressed frames, and their handlers hear of the messages`(policy: SlowConsumerPolicy)
        async throws
    {
        let dropped = Journal<Int>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(
                backpressureLimit: 256 << 10, publishToSelf: true, perMessageDeflate: SocketClient.dedicated),
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in
                for number in 0..<60 {
                    ws.publish(Self.noise(number), to: "t")
                    if [0, 3, 6].contains(number) { ws.send(DeflateTests.text(5_000, number)) }
                }
            },
            dropped: { _, message in
                let bytes = message.bytes
                dropped.note(bytes == Self.noise(Int(bytes[0])) ? Int(bytes[0]) : -1)
            })
        try await serving(
            handlers,
            {
                $0.loops = .count(1)
                $0.slowConsumerPolicy = policy
            }
        ) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            try client.send("go")
            #expect(eventually { Self.figures(server).publishes == 60 })
            let drops = SlowConsumerTests.drops(Self.figures(server))
            #expect(drops > 10)
            var received: [Int] = []
            var direct: [[UInt8]] = []
            while received.count < 60 - drops || direct.count < 3 {
                let frame = try client.read()
                #expect(frame.deflatedCount != nil)
                if frame.payload.count > 10_000 {
                    #expect(frame.payload == Self.noise(Int(frame.payload[0])))
                    received.append(Int(frame.payload[0]))
                } else {
                    direct.append(frame.payload)
                }
            }
            #expect(received == received.sorted())
            #expect(direct == [0, 3, 6].map { DeflateTests.text(5_000, $0) })
            #expect(Set(received).union(dropped.wait(for: drops)) == Set(0..<60))
        }
    }
}

/// Noise by a seed (xorshift).
struct SeededNoise {
    var state: UInt64

    mutating func next() -> UInt8 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state >> 32)
    }
}
