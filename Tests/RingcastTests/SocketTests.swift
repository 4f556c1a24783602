import Ringcast
import Testing
import WebSocketProtocol

@Suite struct SocketTests {
    static let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })

    @Test(arguments: [0, 1, 125, 126, 4_000, 4_096, 65_535, 65_536, 1_000_000, 5_000_000])
    func `a message comes back as it went`(_ count: Int) async throws {
        try await serving(Self.echo) { server in
            let client = try SocketClient(port: server.port)
            let text = [UInt8](repeating: 0x61, count: count)
            try client.send(.text, text)
            #expect(try client.read() == .init(opcode: .text, payload: text))
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try client.send(.binary, bytes)
            #expect(try client.read() == .init(opcode: .binary, payload: bytes))
        }
    }

    @Test func `a message sent back twice is the same both times`() async throws {
        let twice = WebSocketHandlers<Void>(message: { ws, message in
            ws.send(message)
            ws.send("between")
            ws.send(message)
            ws.send(message.bytes)
        })
        try await serving(twice) { server in
            let client = try SocketClient(port: server.port)
            let payload = (0..<6_000).map { UInt8($0 & 0x7F) }
            for _ in 0..<20 { try client.send(.text, payload) }
            for _ in 0..<20 {
                #expect(try client.read().payload == payload)
                #expect(try client.readText() == "between")
                #expect(try client.read().payload == payload)
                #expect(try client.read() == .init(opcode: .binary, payload: payload))
            }
        }
    }

    @Test func `fragments are one message, and a ping between them is answered first`() async throws {
        try await serving(Self.echo) { server in
            let client = try SocketClient(port: server.port)
            try client.send(.text, [0x61], isFinal: false)
            try client.send(.ping, [1, 2])
            try client.send(.continuation, [0x62])
            #expect(try client.read() == .init(opcode: .pong, payload: [1, 2]))
            #expect(try client.readText() == "ab")
        }
    }

    @Test func `every ping is answered, in order, and the ping and pong handlers see theirs`() async throws {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            ping: { _, payload in journal.note("ping \(payload.byteCount)") },
            pong: { _, payload in journal.note("pong \(payload.byteCount)") })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            for number in 0..<10 { try client.send(.ping, [UInt8](repeating: 7, count: number)) }
            try client.send(.pong, [1, 2, 3])
            for number in 0..<10 { #expect(try client.read().payload.count == number) }
            #expect(journal.wait(for: 11) == (0..<10).map { "ping \($0)" } + ["pong 3"])
        }
    }

    @Test func `what a socket tells about itself`() async throws {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<String>(
            open: { ws in
                journal.note(
                    "open: \(ws.readyState) \(ws.data) \(ws.remoteAddress?.ipAddress ?? "?") \(ws.bufferedAmount > 0)")
                ws.send("x")
                ws.subscribe(to: "a")
                ws.subscribe(to: "b")
                journal.note("\(ws.subscriptions) \(ws.isSubscribed(to: "a")) \(ws.isSubscribed(to: "c"))")
                let value = ws.cork { ws in
                    ws.send("y")
                    return 7
                }
                journal.note("cork: \(value)")
            },
            message: { ws, _ in
                ws.close()
                journal.note("closing: \(ws.readyState)")
                ws.close(.goingAway)
            },
            close: { ws, _, _ in journal.note("closed: \(ws.readyState) \(ws.send("z"))") })
        try await serving(handlers, with: "me") { server in
            let client = try SocketClient(port: server.port)
            #expect(try client.readText() == "x")
            #expect(try client.readText() == "y")
            try client.send("go")
            #expect(try client.readClose().closeCode == 1000)
            try client.sendClose(1000)
            #expect(
                journal.wait(for: 5) == [
                    "open: open me 127.0.0.1 true", "[a, b] true false", "cork: 7", "closing: closing",
                    "closed: closed dropped",
                ])
        }
    }

    @Test func `results count payload bytes`() async throws {
        let handlers = WebSocketHandlers<Void>(message: { ws, _ in
            let results = [ws.send("hé"), ws.send([1, 2]), ws.send(""), ws.ping("abc"), ws.pong()]
            ws.send("\(results.map(\.status)) \(results[2])")
        })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            #expect(try client.read().text == "hé")
            #expect(try client.read() == .init(opcode: .binary, payload: [1, 2]))
            #expect(try client.read().payload.isEmpty)
            #expect(try client.read() == .init(opcode: .ping, payload: [UInt8]("abc".utf8)))
            #expect(try client.read().opcode == .pong)
            #expect(try client.readText() == "[3, 2, 1, 3, 1] sent(bytes: 0)")
        }
    }

    @Test func `explicit forms choose text or binary`() async throws {
        let handlers = WebSocketHandlers<Void>(message: { ws, message in
            ws.sendText(message.rawBytes)
            ws.sendBinary(message.rawBytes)
            ws.sendText(message.string)
            ws.sendBinary(message.bytes)
            ws.send(message.rawBytes)
        })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("x")
            let opcodes = try (0..<5).map { _ in try client.read().opcode }
            #expect(opcodes == [.text, .binary, .text, .binary, .binary])
        }
    }

    @Test func `a flood of frames on one connection does not keep another of its loop waiting`() async throws {
        try await serving(Self.echo, { $0.loops = .count(1) }) { server in
            let flooder = try SocketClient(port: server.port)
            let other = try SocketClient(port: server.port)
            let flood = [UInt8]((0..<50_000).flatMap { _ in SocketClient.encode(.text, [0x61]) })
            try flooder.connection.send(flood)
            for _ in 0..<20 {
                try other.send("hello")
                #expect(try other.readText() == "hello")
            }
            for _ in 0..<50_000 { _ = try flooder.read() }
        }
    }
}
