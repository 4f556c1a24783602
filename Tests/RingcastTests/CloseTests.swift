import Ringcast
import Testing
import WebSocketProtocol

@Suite struct CloseTests {
    static func noting(
        _ journal: Journal<String>, options: WebSocketOptions = WebSocketOptions(),
        message: (@Sendable (borrowing WebSocket<Void>, borrowing Message) throws -> Void)? = nil
    ) -> WebSocketHandlers<Void> {
        WebSocketHandlers(
            options: options, message: message,
            close: { _, code, reason in journal.note(reason.isEmpty ? "\(code.rawValue)" : "\(code.rawValue) \(reason)")
            })
    }

    @Test func `the peer's close is answered with its code, and the close handler sees code and reason, once`()
        async throws
    {
        let journal = Journal<String>()
        try await serving(Self.noting(journal)) { server in
            let client = try SocketClient(port: server.port)
            try client.sendClose(4001, "bye")
            try client.sendClose(4002, "again")
            #expect(try client.read().closeCode == 4001)
            #expect(try client.isAtEnd())
            _ = journal.wait()
            pause(.milliseconds(20))
            #expect(journal.entries == ["4001 bye"])
            #expect(eventually { server.pendingWebSockets == 0 })
        }
    }

    @Test func `an empty Close is seen as 1005, the end of a connection without one as 1006`() async throws {
        let journal = Journal<String>()
        try await serving(Self.noting(journal)) { server in
            let client = try SocketClient(port: server.port)
            try client.sendClose(nil)
            #expect(try client.read() == .init(opcode: .close, payload: []))
            #expect(journal.wait() == ["1005"])
            try SocketClient(port: server.port).connection.shutDownWriting()
            #expect(journal.wait(for: 2).last == "1006")
            try SocketClient(port: server.port).connection.reset()
            #expect(journal.wait(for: 3).last == "1006")
        }
    }

    @Test func `close sends what was queued first, then its code and a reason cut at a character`() async throws {
        let journal = Journal<String>()
        let handlers = Self.noting(journal) { ws, _ in
            ws.send("first")
            ws.close(CloseCode(rawValue: 4000), reason: String(repeating: "é", count: 80))
            #expect(ws.send("late") == .dropped)
        }
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            #expect(try client.readText() == "first")
            let close = try client.read()
            #expect(close.closeCode == 4000)
            #expect(close.closeReason == String(repeating: "é", count: 61))
            try client.send("nobody hears this")
            try client.sendClose(4000)
            #expect(try client.isAtEnd())
            #expect(journal.wait() == ["4000"])
        }
    }

    @Test func `a peer that does not answer a Close is cut after the close deadline`() async throws {
        let journal = Journal<String>()
        let handlers = Self.noting(journal, options: .init(closeTimeout: .milliseconds(150))) { ws, _ in ws.close() }
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            #expect(try client.readClose().closeCode == 1000)
            #expect(try client.isAtEnd())
            #expect(journal.wait().first?.hasPrefix("1006") == true)
        }
    }

    @Test func `terminate ends the connection without a Close frame, after the handler`() async throws {
        let journal = Journal<String>()
        let handlers = Self.noting(journal) { ws, _ in
            ws.terminate()
            ws.terminate()
            journal.note("still in the handler")
        }
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            try client.send("no more")
            #expect(try client.connection.readToEnd().isEmpty)
            #expect(journal.wait(for: 2) == ["still in the handler", "1006"])
        }
    }

    @Test func `an error thrown by a handler goes to error and closes with 1011`() async throws {
        struct Oops: Error {}
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            message: { _, _ in throw Oops() },
            close: { _, code, _ in journal.note("close \(code.rawValue)") },
            error: { _, error in journal.note("error \(error)") })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            #expect(try client.readClose().closeCode == 1011)
            try client.sendClose(1011)
            #expect(journal.wait(for: 2) == ["error Oops()", "close 1011"])
        }
    }

    @Test func `unless error closes it otherwise`() async throws {
        struct Oops: Error {}
        let handlers = WebSocketHandlers<Void>(
            open: { _ in throw Oops() },
            error: { ws, _ in ws.close(.unsupportedData, reason: "mine") })
        try await serving(handlers) { server in
            let close = try SocketClient(port: server.port).readClose()
            #expect(close.closeCode == 1003)
            #expect(close.closeReason == "mine")
        }
    }

    @Test(
        arguments: [
            ([0xC1, 0x80, 1, 2, 3, 4], 1002),  // a reserved bit
            ([0x81, 0x01, 0x61], 1002),  // no mask
            ([0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28], 1007),  // text that is not UTF-8
            ([0x82, 0xFE, 0x04, 0x01, 0, 0, 0, 0], 1009),  // 1,025 bytes announced
            ([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED], 1002),  // code 1005
        ] as [([UInt8], Int)])
    func `a peer that breaks the protocol gets a Close with the cause, and so does the handler`(
        _ bytes: [UInt8], _ code: Int
    ) async throws {
        let journal = Journal<String>()
        try await serving(Self.noting(journal, options: .init(maxPayloadLength: 1_024))) { server in
            let client = try SocketClient(port: server.port)
            try client.connection.send(bytes)
            #expect(try client.read().closeCode == code)
            #expect(try client.isAtEnd())
            #expect(journal.wait().first?.hasPrefix("\(code) ") == true)
        }
    }

    @Test func `the end of a connection never touches the next one, which may have its descriptor`() async throws {
        let handlers = WebSocketHandlers<Void>(open: { ws in ws.send("hi") })
        try await serving(handlers) { server in
            for _ in 0..<300 {
                let client = try SocketClient(port: server.port)
                #expect(try client.readText() == "hi")
                try client.sendClose()
                #expect(try client.read().closeCode == 1000)
            }
        }
    }
}
