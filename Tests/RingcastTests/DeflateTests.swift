import Testing
import WebSocketProtocol

@testable import Ringcast

/// Compression of one socket's messages (RFC 7692), over real sockets.
@Suite struct DeflateTests {
    static func echo(_ options: PerMessageDeflate, compress: Bool? = nil, limit: Int = 16 << 20)
        -> WebSocketHandlers<Void>
    {
        WebSocketHandlers(
            options: .init(maxPayloadLength: limit, perMessageDeflate: options),
            message: { ws, message in ws.send(message, compress: compress) })
    }

    /// Text that compresses, `count` bytes of it.
    static func text(_ count: Int, _ number: Int = 0) -> [UInt8] {
        Array("\(number) ".utf8)
            + Array(String(repeating: "{\"price\": 1, \"é\": 2}, ", count: count / 20).utf8.prefix(count))
    }

    @Test func `the handshake agrees on it if both want it`() async throws {
        try await serving(Self.echo(true)) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            #expect(
                client.answer["Sec-WebSocket-Extensions"]
                    == "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
            #expect(try SocketClient(port: server.port).answer["Sec-WebSocket-Extensions"] == nil)
            let declined = try SocketClient(port: server.port, fields: SocketClient.offer("server_max_window_bits=7"))
            #expect(declined.answer["Sec-WebSocket-Extensions"] == nil)
            let bad = try TCPClient(port: server.port)
            try bad.send(SocketClient.request(fields: ["Sec-WebSocket-Extensions: permessage deflate"]))
            #expect(try bad.readAnswer().status == 400)
        }
        try await serving(Self.echo(false)) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            #expect(client.answer["Sec-WebSocket-Extensions"] == nil)
        }
    }

    @Test(arguments: [PerMessageDeflate(true), SocketClient.dedicated, .init(compress: .kilobytes3, decompress: true)])
    func `messages from 1 KiB on are compressed, whatever they came as`(options: PerMessageDeflate) async throws {
        try await serving(Self.echo(options)) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            for (number, count) in [0, 1, 100, 1_021, 1_022, 5_000, 100_000, 1_000_000].enumerated() {
                let message = count == 0 ? [] : Self.text(count, number)
                for isCompressed in [true, false] where count > 0 || !isCompressed {
                    try isCompressed ? client.sendDeflated(.text, message) : client.send(.text, message)
                    let frame = try client.read()
                    #expect(frame.opcode == .text && frame.payload == message)
                    #expect((frame.deflatedCount != nil) == (message.count >= 1_024), "\(message.count)")
                }
            }
            #expect(SlowConsumerTests.sum(server).framesDeflated == 8)
        }
    }

    @Test func `its sender may choose`() async throws {
        try await serving(Self.echo(true, compress: true)) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            try client.send("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(try client.read().deflatedCount ?? 30 < 10)
            // Nothing is gained, or there is nothing.
            for message in ["a", ""] {
                try client.send(message)
                let frame = try client.read()
                #expect(frame.text == message && frame.deflatedCount == nil)
            }
            let plain = try SocketClient(port: server.port)
            try plain.send("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(try plain.readText() == "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        }
        try await serving(Self.echo(true, compress: false)) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            try client.sendDeflated(.binary, Self.text(100_000))
            let frame = try client.read()
            #expect(frame.opcode == .binary && frame.payload == Self.text(100_000) && frame.deflatedCount == nil)
        }
    }

    @Test func `incompressible messages come through`() async throws {
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<70_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        for options in [PerMessageDeflate(true), SocketClient.dedicated] {
            try await serving(Self.echo(options)) { server in
                let client = try SocketClient(port: server.port, fields: SocketClient.offer())
                // Noise that a window holds comes twice: what refers back to a message that went plain is not read.
                let short = [UInt8](noise.prefix(2_000))
                for message in [noise, Self.text(2_000), noise, Self.text(2_000), short, short] {
                    try client.sendDeflated(.binary, message)
                    #expect(try client.read().payload == message)
                }
            }
        }
    }

    @Test func `a dedicated context is taken over, a shared one is not`() async throws {
        let message = (0..<2_000).map { UInt8(truncatingIfNeeded: $0 &* 167 ^ $0 >> 3) }
        for (options, offer, isTakenOver) in [
            (SocketClient.dedicated, "", true), (SocketClient.dedicated, "server_no_context_takeover", false),
            (PerMessageDeflate(compress: .shared, decompress: .dedicated), "", false),
        ] {
            try await serving(Self.echo(options, compress: true)) { server in
                let client = try SocketClient(port: server.port, fields: SocketClient.offer(offer))
                var counts: [Int] = []
                for _ in 0..<3 {
                    try client.sendDeflated(.binary, message)
                    let frame = try client.read()
                    #expect(frame.payload == message)
                    counts.append(frame.deflatedCount ?? frame.payload.count)
                }
                #expect((counts[1] < counts[0] / 4) == isTakenOver, "\(counts)")
                #expect(isTakenOver || counts[1] == counts[0])
            }
        }
    }

    @Test(arguments: 8...15)
    func `the server keeps to the window that it agreed on`(bits: Int) async throws {
        try await serving(Self.echo(SocketClient.dedicated)) { server in
            let client = try SocketClient(
                port: server.port,
                fields: SocketClient.offer("server_max_window_bits=\(bits); client_max_window_bits=\(bits)"))
            #expect(client.compression?.parameters.serverMaxWindowBits == bits)
            #expect(client.compression?.parameters.clientMaxWindowBits == bits)
            for number in 0..<5 {
                try client.sendDeflated(.text, Self.text(3_000, number))
                #expect(try client.read().payload == Self.text(3_000, number))
            }
        }
    }

    @Test func `fragments, control frames between them, and every split arrive`() async throws {
        try await serving(Self.echo(SocketClient.dedicated)) { server in
            // RFC 7692 §7.2.3.1, §7.2.3.2: "Hello" in two fragments with a ping between, and again from the context.
            let bytes =
                SocketClient.encode(.text, [0xF2, 0x48, 0xCD], isFinal: false, isCompressed: true)
                + SocketClient.encode(.ping, [7]) + SocketClient.encode(.continuation, [0xC9, 0xC9, 0x07, 0x00])
                + SocketClient.encode(.text, [0xF2, 0x00, 0x11, 0x00, 0x00], isCompressed: true)
            for split in bytes.indices {
                let client = try SocketClient(port: server.port, fields: SocketClient.offer())
                try client.connection.send(Array(bytes[..<split]))
                try client.connection.send(Array(bytes[split...]))
                #expect(try client.read() == .init(opcode: .pong, payload: [7]))
                #expect(try client.readText() == "Hello")
                #expect(try client.readText() == "Hello")
            }
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            for byte in bytes { try client.connection.send([byte]) }
            #expect(try client.read() == .init(opcode: .pong, payload: [7]))
            #expect(try client.readText() == "Hello")
            #expect(try client.readText() == "Hello")
        }
    }

    @Test func `text is checked after inflating`() async throws {
        try await serving(Self.echo(true)) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            try client.sendDeflated(.binary, [0xC3, 0x28])
            #expect(try client.read().payload == [0xC3, 0x28])
            try client.sendDeflated("é")
            #expect(try client.readText() == "é")
            try client.sendDeflated(.text, [0xC3])
            try #require(client.read().closeCode == 1007)
            #expect(try client.isAtEnd())
        }
    }

    @Test func `RSV1 is legal on a message's first frame only, and where it was agreed on`() async throws {
        try await serving(Self.echo(true)) { server in
            for frames in [
                SocketClient.encode(.ping, [], isCompressed: true),
                SocketClient.encode(.text, [0xF2], isFinal: false, isCompressed: true)
                    + SocketClient.encode(.continuation, [0x48], isCompressed: true),
            ] {
                let client = try SocketClient(port: server.port, fields: SocketClient.offer())
                try client.connection.send(frames)
                #expect(try client.read().closeCode == 1002)
            }
            let plain = try SocketClient(port: server.port)
            try plain.connection.send(SocketClient.encode(.text, [0xF2], isCompressed: true))
            #expect(try plain.read().closeCode == 1002)
        }
    }
}
