import HTTPTypes
import Testing

@testable import Ringcast

/// What a server can do to a client that trusts it too far. Redirects and their secrets are in `ClientRedirectTests`,
/// the answers that are none in `ClientHandshakeTests`, frames in `ClientFrameTests`, masks in `ClientMaskingTests`.
@Suite struct ClientVulnerabilities {
    /// Sends a beginning, and then the same for ever.
    private func endless(_ beginning: String, _ rest: String, _ ended: Journal<Bool>) -> ScriptedServer {
        ScriptedServer { peer in
            _ = try peer.readHead()
            defer { ended.note(true) }
            try peer.send(beginning)
            let rest = String(repeating: rest, count: max(1, 4_096 / rest.utf8.count))
            while true { try peer.send(rest) }
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 101 Switching\r\n", "A: b\r\n", "it has too many fields"),
        ("HTTP/1.1 101 Switching\r\nA: ", "b", "its head is too large"),
        ("HTTP/1.1 101 ", "x", "its head is too large"),
        ("", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", "too many interim responses"),
    ])
    func `CVE-2026-54465, CVE-2026-28980: an answer's head has an end, or the attempt has`(
        _ beginning: String, _ rest: String, _ what: String
    ) throws {
        let ended = Journal<Bool>()
        let server = endless(beginning, rest, ended)
        try server.run {
            try withClients { group in
                let failure = try Outcome().failure(of: try ClientRequest(server.url), group)
                #expect(failure == .invalidHandshake(what))
                #expect(ended.wait() == [true], "the connection was closed")
            }
        }
    }

    @Test(arguments: [
        ("\r\n", "endless"), ("Content-Length: 9223372036854775807\r\n\r\n", "endless"),
        ("Content-Length: -1\r\n\r\n", "endless"), ("Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
        ("Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n", "endless"),
        ("Transfer-Encoding: chunked\r\n\r\n0\r\n", "A: trailer\r\n"),
        ("Transfer-Encoding: chunked\r\n\r\n1;", "extension"),
    ])
    func `CVE-2026-22815, CVE-2024-22019: of a refusal's body a kilobyte is kept, and the rest is not read`(
        _ framing: String, _ rest: String
    ) throws {
        let ended = Journal<Bool>()
        let server = endless("HTTP/1.1 503 Busy\r\n" + framing, rest, ended)
        try server.run {
            try withClients { group in
                let failure = try Outcome().failure(of: try ClientRequest(server.url), group)
                guard failure.code == .refused, let refusal = failure.answer else { throw failure }
                #expect(refusal.status == 503 && refusal.body.count <= 1_024)
                #expect(ended.wait() == [true], "the connection was closed")
            }
        }
    }

    /// RFC 9112 §6.3: an answer of 1xx ends with its head, whatever its fields say.
    @Test(arguments: ["Content-Length: 3", "Transfer-Encoding: chunked", "Content-Length: 99999999999999999999"])
    func `CVE-2026-42584: a 101 has no body, and what is behind it is frames`(_ field: String) throws {
        let server = ScriptedServer { peer in
            try peer.upgrade(fields: [field])
            try peer.sendFrame(0x81, [0x68, 0x69])
            try peer.readToEnd()
        }
        let outcome = Outcome()
        try server.run {
            try withClients { group in
                group.connect(try ClientRequest(server.url), handlers: outcome.handlers, with: ())
                #expect(outcome.journal.wait(for: 2) == ["open -", "hi"])
            }
        }
    }

    @Test func `CVE-2026-1526: a bomb of a server's is refused with 1009, and no handler sees it`() throws {
        let bomb = DeflateAttacks.bomb(16 << 20)
        let closes = Journal<[UInt8]>()
        let answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        let server = ScriptedServer { peer in
            try peer.upgrade(fields: ["Sec-WebSocket-Extensions: \(answer)"])
            try peer.sendFrame(0xC2, bomb)
            closes.note([UInt8](try peer.readFrame().payload.prefix(2)))
            try peer.readToEnd()
        }
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(maxPayloadLength: 1 << 20, perMessageDeflate: true),
            message: { _, message in journal.note("\(message.byteCount)") },
            close: { _, code, _ in journal.note("closed with \(code.rawValue)") })
        try server.run {
            try withClients { group in
                group.connect(try ClientRequest(server.url), handlers: handlers, with: ())
                #expect(closes.wait() == [[0x03, 0xF1]])
                #expect(journal.wait() == ["closed with 1009"])
            }
        }
    }

    @Test func `CWE-770: a server that floods a client with pings is closed with 1008`() throws {
        let closes = Journal<[UInt8]>()
        let server = ScriptedServer { peer in
            try peer.upgrade()
            try peer.send([UInt8](repeatElement([0x89, 0], count: 1_001).joined()))
            while true {
                let frame = try peer.readFrame()
                guard frame.first == 0x88 else { continue }
                closes.note([UInt8](frame.payload.prefix(2)))
                return try peer.readToEnd()
            }
        }
        let outcome = Outcome()
        try server.run {
            try withClients { group in
                group.connect(try ClientRequest(server.url), handlers: outcome.handlers, with: ())
                #expect(closes.wait() == [[0x03, 0xF0]])
            }
        }
    }
}
