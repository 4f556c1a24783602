import Reactor
import Testing
import WebSocketProtocol

@testable import Ringcast

/// What compression keeps, and who uses it from elsewhere.
@Suite struct DeflateStateTests {
    /// Says after each message what its socket owns of zlib.
    private static func observed(_ options: PerMessageDeflate, _ journal: Journal<[Bool]>) -> WebSocketHandlers<Void> {
        WebSocketHandlers(
            options: .init(perMessageDeflate: options),
            message: { ws, message in
                ws.send(message)
                let extras = ws.session.extras
                journal.note([extras != nil, extras?.deflater != nil, extras?.inflater != nil])
            })
    }

    @Test func `a socket of the shared kind owns nothing`() async throws {
        let journal = Journal<[Bool]>()
        try await serving(Self.observed(true, journal)) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            try client.sendDeflated(.text, DeflateTests.text(2_000))
            #expect(try client.read().deflatedCount != nil)
            #expect(journal.wait() == [[false, false, false]])
        }
    }

    @Test func `a dedicated socket owns a stream from the first message on that needs it`() async throws {
        let journal = Journal<[Bool]>()
        try await serving(Self.observed(SocketClient.dedicated, journal)) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            try client.send("short")
            try client.sendDeflated("short")
            try client.send(.text, DeflateTests.text(2_000))
            for _ in 0..<3 { _ = try client.read() }
            #expect(journal.wait(for: 3) == [[false, false, false], [true, false, true], [true, true, true]])
        }
    }

    @Test func `references compress on the socket's loop`() async throws {
        let (journal, references) = (Journal<String>(), Journal<WebSocketRef<Void>>())
        let handlers = WebSocketHandlers<Void>(
            options: .init(perMessageDeflate: SocketClient.dedicated), open: { ws in references.note(ws.reference) })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            let reference = references.wait()[0]
            let message = String(repeating: "ringcast ", count: 200)
            let results = [reference.send(message), reference.send(message, compress: false), reference.send(message)]
            journal.note("\(results)")
            #expect(results == Array(repeating: .sent(bytes: message.utf8.count), count: 3))
            let frames = try (0..<3).map { _ in try client.read() }
            #expect(frames.allSatisfy { $0.text == message && $0.opcode == .text })
            #expect(frames.map { $0.deflatedCount != nil } == [true, false, true])
            reference.send("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", compress: true)
            #expect(try client.read().deflatedCount != nil)
        }
    }

    @Test func `many inflated bytes are work for several turns`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(perMessageDeflate: true),
            message: { ws, message in
                // Answered at the end of the message's turn, so that the turns can be told apart.
                ws.send("\(ws.session.loop.eventLoop.statistics.turns.value)")
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            let deflated = client.compression!.deflate([UInt8](repeating: 0, count: 200 << 10))
            let frame = SocketClient.encode(.binary, deflated, isCompressed: true)
            // 2 MB in a few hundred bytes, in one segment.
            #expect(frame.count * 10 < 4_000)
            try client.connection.send(Array(repeating: frame, count: 10).flatMap { $0 })
            let turns = try (0..<10).map { _ in try client.readText() }
            #expect(Set(turns).count >= 5)
        }
    }
}
