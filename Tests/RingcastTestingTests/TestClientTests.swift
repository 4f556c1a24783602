import Ringcast
import RingcastTesting
import Testing

@Suite struct TestClientTests {
    /// A server of one kind of socket, which says what it hears to a journal.
    private func app(
        _ journal: Journal = Journal(), _ options: WebSocketOptions = .init(),
        _ configuration: ServerConfiguration = .init()
    ) throws -> TestServer {
        let handlers = WebSocketHandlers<Void>(
            options: options,
            message: { ws, message in
                switch message.string {
                case "close": ws.close(4_000, reason: "as you like")
                case "terminate": ws.terminate()
                case "ping": ws.ping("are you there?")
                default: ws.send(message)
                }
            },
            close: { _, code, reason in journal.note("close \(code.rawValue) \(reason)") },
            ping: { _, _ in journal.note("ping") }, pong: { _, payload in journal.note("pong \(payload.byteCount)") })
        return try TestServer(configuration: configuration) { _ in .upgrade(to: handlers) }
    }

    @Test func `messages come back as the kind they are, of any length`() throws {
        let app = try app()
        let client = try app.connect()
        let messages: [OwnedMessage] = [
            .text(""), .binary([]), .text("hällo"), .binary([0, 255]), .text(String(repeating: "x", count: 70_000)),
            .binary([UInt8](repeating: 7, count: 300)),
        ]
        for message in messages { #expect(client.send(message)) }
        client.send("one more")
        client.send([1, 2, 3])
        #expect(client.received == messages + [.text("one more"), .binary([1, 2, 3])])
    }

    @Test func `a close from here is answered, and the handler hears of it`() throws {
        let journal = Journal()
        let app = try app(journal)
        let client = try app.connect()
        #expect(client.isOpen && client.closeCode == nil && client.isConnected)
        client.close(4_001, reason: "done")
        #expect(!client.isOpen && client.closeCode == 4_001 && !client.isConnected)
        #expect(journal.entries == ["close 4001 done"])
        #expect(!client.send("late") && !client.send(raw: [0]))
        client.close()
        client.ping()
        #expect(journal.entries.count == 1 && app.server.totals.connections == 0)
        let other = try app.connect()
        other.close(nil)
        #expect(other.closeCode == .noStatusReceived && journal.entries.last == "close 1005 ")
    }

    @Test func `a close from there is seen with code and reason`() throws {
        let app = try app()
        let (client, cut) = (try app.connect(), try app.connect())
        client.send("close")
        #expect(client.closeCode == 4_000 && client.closeReason == "as you like" && !client.isOpen)
        cut.send("terminate")
        #expect(cut.closeCode == .abnormalClosure && cut.closeReason == "" && !cut.isConnected)
    }

    @Test func `pings are answered, unless it is told not to`() throws {
        let journal = Journal()
        let app = try app(journal)
        let client = try app.connect()
        client.send("ping")
        #expect(client.pings == [Array("are you there?".utf8)] && journal.entries == ["pong 14"])
        client.ping([1, 2])
        client.pong([3])
        #expect(client.pongs == [[1, 2]] && journal.entries == ["pong 14", "ping", "pong 1"])
        client.answersPings = false
        app.advance(by: .seconds(121))
        #expect(client.closeCode == .goingAway, "who says nothing is closed")
    }

    @Test func `who does not answer a Close is cut in time`() throws {
        let app = try app(Journal(), .init(closeTimeout: .seconds(5)))
        let client = try app.connect()
        client.answersClose = false
        client.send("close")
        #expect(!client.isOpen && client.isConnected && client.closeCode == 4_000)
        app.advance(by: .seconds(20))
        #expect(!client.isConnected && app.server.totals.connections == 0)
    }

    @Test func `subprotocols and headers are those of the handshake`() throws {
        let app = try app(Journal(), .init(), .init(subprotocols: ["chat.v2", "chat.v1"]))
        let client = try app.connect(subprotocols: ["chat.v1", "chat.v3"])
        #expect(client.subprotocol == "chat.v1" && client.response?.status.code == 101)
        #expect(client.response?.headers[.secWebSocketProtocol] == "chat.v1")
        #expect(try app.connect().subprotocol == nil)
        #expect(throws: TestClientError.self) { try app.connect(headers: [.origin: "https://elsewhere.example"]) }
        #expect(try app.connect(headers: [.origin: "http://test"]).isOpen)
    }

    @Test(arguments: [true, PerMessageDeflate(compress: .dedicated, decompress: .dedicated)])
    func `messages are compressed where that is agreed on`(offer: PerMessageDeflate) throws {
        let app = try app(Journal(), .init(perMessageDeflate: true))
        let client = try app.connect(perMessageDeflate: offer)
        let text = String(repeating: "compressible ", count: 1_000)
        for _ in 0..<3 { client.send(text) }
        #expect(client.isCompressed && client.received == Array(repeating: .text(text), count: 3))
        #expect(app.server.totals.bytesIn < 2_000 && app.server.totals.framesDeflated == 3)
        #expect(try !app.connect().isCompressed)
    }

    @Test func `what breaks the protocol is answered as RFC 6455 has it`() throws {
        let app = try app()
        let unmasked = try app.connect()
        unmasked.send(raw: [0x81, 0x01, 0x61])
        #expect(unmasked.closeCode == .protocolError && unmasked.protocolViolation == nil)
        let narrow = try self.app(Journal(), .init(maxPayloadLength: 10))
        let tooLong = try narrow.connect()
        tooLong.send("12345678901")
        #expect(tooLong.closeCode == .messageTooBig)
    }
}
