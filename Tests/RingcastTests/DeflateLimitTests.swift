import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// What bounds and buffers make of compressed messages: they are about the message.
@Suite struct DeflateLimitTests {
    private static func noise(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: 7)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    @Test(arguments: [1_024, 70_000])
    func `a message of the longest length may be longer deflated, and one byte more is too much`(limit: Int)
        async throws
    {
        let handlers = WebSocketHandlers<Void>(
            options: .init(maxPayloadLength: limit, perMessageDeflate: true),
            message: { ws, message in ws.send("\(message.byteCount)") })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            let deflated = try #require(client.compression).deflate(Self.noise(limit))
            #expect(deflated.count > limit)
            try client.connection.send(SocketClient.encode(.binary, deflated, isCompressed: true))
            #expect(try client.readText() == "\(limit)")
            try client.sendDeflated(.binary, Self.noise(limit + 1))
            #expect(try client.readClose().closeCode == 1009)
        }
    }

    @Test func `a client's limit is the message's too`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(perMessageDeflate: SocketClient.dedicated),
            open: { ws in ws.send(Self.noise(1_024), compress: true) })
        try await serving(handlers) { server in
            let received = Journal<String>()
            try withClients { group in
                let client = WebSocketHandlers<Void>(
                    options: .init(maxPayloadLength: 1_024, perMessageDeflate: true),
                    message: { _, message in received.note("\(message.byteCount)") },
                    close: { _, code, _ in received.note("closed with \(code)") })
                group.connect(try ClientRequest("ws://127.0.0.1:\(server.port)/"), handlers: client, with: ())
                #expect(received.wait() == ["1024"])
            }
        }
    }

    @Test func `the rate counts a message's bytes, not those it was compressed to`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(
                messageRate: .init(bytesPerSecond: 10_000, burst: .seconds(1), excess: .close),
                perMessageDeflate: true),
            message: { ws, message in ws.send("\(message.byteCount)") })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            try client.sendDeflated(.binary, [UInt8](repeating: 0, count: 5_000))
            #expect(try client.readText() == "5000")
            try client.sendDeflated(.binary, [UInt8](repeating: 0, count: 10_000_000))
            #expect(try client.read().closeCode == 1008)
        }
    }

    @Test func `a compressed message over the rate is dropped, and those behind it are understood`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(
                messageRate: .init(messagesPerSecond: 1, burst: .zero, excess: .reply(.text("slower"))),
                perMessageDeflate: PerMessageDeflate(compress: .dedicated, decompress: .dedicated)),
            message: { ws, message in ws.send(message, compress: false) })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            let compression = try #require(client.compression)
            // Both in one segment, so that no second passes between them.
            let frames = ["number 0", "number 1"].map { text in
                SocketClient.encode(.text, compression.deflate(Array(text.utf8)), isCompressed: true)
            }
            try client.connection.send(frames.flatMap(\.self))
            #expect(try client.readText() == "number 0")
            #expect(try client.readText() == "slower")
            pause(.milliseconds(1_100))
            try client.sendDeflated("number 2")
            #expect(try client.readText() == "number 2")
        }
    }

    @Test func `a large message that does not shrink leaves no large buffer`() async throws {
        let journal = Journal<Int>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(perMessageDeflate: true),
            message: { ws, message in
                ws.send(message, compress: true)
                journal.note(ws.session.loop.compression.output.capacity)
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            try client.send(.binary, Self.noise(2 << 20))
            #expect(try client.read().payload.count == 2 << 20)
            #expect(journal.wait().allSatisfy { $0 <= LoopCompression.keptByteCount })
        }
    }
}
