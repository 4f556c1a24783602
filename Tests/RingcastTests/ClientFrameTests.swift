import Ringcast
import Testing
import WebSocketProtocol

/// What a client does not take from a server once the socket is open (RFC 6455 §5).
@Suite struct ClientFrameTests {
    @Test(
        arguments: [
            ("a masked frame (§5.1)", [0x81, 0x81, 1, 2, 3, 4, 0x60], 1002),
            ("RSV1 without an extension (§5.2)", [0xC1, 1, 0x61], 1002), ("RSV2", [0xA1, 1, 0x61], 1002),
            ("RSV3", [0x91, 1, 0x61], 1002), ("an unknown opcode", [0x83, 1, 0x61], 1002),
            ("a ping in fragments (§5.5)", [0x09, 0], 1002), ("a ping of 126 bytes", [0x89, 126, 0, 126], 1002),
            ("a continuation of nothing (§5.4)", [0x80, 1, 0x61], 1002), ("bad UTF-8 (§8.1)", [0x81, 1, 0xFF], 1007),
            ("a close code that nobody may send (§7.4)", [0x88, 2, 0x03, 0xED], 1002),
            ("a message that is too large", [0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0], 1009),
        ] as [(String, [UInt8], Int)])
    func `what a server must not send fails the connection`(_ what: String, _ frame: [UInt8], _ code: Int) throws {
        let closes = Journal<[UInt8]>()
        let server = ScriptedServer { peer in
            try peer.upgrade()
            try peer.send(frame)
            let close = try peer.readFrame()
            closes.note([close.first] + close.payload.prefix(2))
            try peer.readToEnd()
        }
        let outcome = Outcome()
        try server.run {
            try withClients { group in
                group.connect(try ClientRequest(server.url), handlers: outcome.handlers, with: ())
                #expect(closes.wait() == [[0x88, UInt8(code >> 8), UInt8(code & 0xFF)]])
                let journal = outcome.journal.wait(for: 2)
                #expect(journal.count == 2 && journal[0] == "open -" && journal[1].hasPrefix("close \(code)"))
            }
        }
    }

    @Test func `the task hears of it too`() async throws {
        let server = ScriptedServer { peer in
            try peer.upgrade()
            try peer.send([0x81, 1, 0x61, 0x81, 0x81, 1, 2, 3, 4, 0x60])
            try peer.readToEnd()
        }
        try await server.run {
            let socket = try await WebSocketClient.connect(server.url)
            let iterator = socket.messages.makeAsyncIterator()
            #expect(try await iterator.next() == .text("a"))
            await #expect {
                _ = try await iterator.next()
            } throws: { error in
                (error as? WebSocketClientError)?.closeCode == .protocolError
            }
        }
    }
}
