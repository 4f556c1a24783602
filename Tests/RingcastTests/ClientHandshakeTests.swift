import Ringcast
import Testing
import WebSocketProtocol

/// What a client asks, and which answers it takes (RFC 6455 §4.1), against servers that misbehave.
@Suite struct ClientHandshakeTests {
    @Test func `the request is a handshake, with what the user added and without what is not the user's`() throws {
        let heads = Journal<String>()
        let server = ScriptedServer { peer in
            heads.note(try peer.upgrade(fields: ["Sec-WebSocket-Protocol: b"]))
            try peer.readToEnd()
        }
        let outcome = Outcome()
        try server.run {
            try withClients { group in
                let request = try ClientRequest(port: server.port, path: "/a b?c=d") {
                    $0.subprotocols = ["a", "b"]
                    $0.headers = [.origin: "http://there", .upgrade: "h2c", .secWebSocketKey: "mine"]
                    $0.headers.append(.init(name: .cookie, value: "x=1"))
                }
                group.connect(request, handlers: outcome.handlers, with: ())
                #expect(outcome.journal.wait() == ["open b"])
            }
        }
        let lines = heads.wait()[0].split(separator: "\r\n").map(String.init)
        #expect(lines[0] == "GET /a%20b?c=d HTTP/1.1")
        #expect(lines[1] == "Host: 127.0.0.1:\(server.port)")
        #expect(lines.contains("Upgrade: websocket") && lines.contains("Connection: Upgrade"))
        #expect(lines.contains("Sec-WebSocket-Version: 13") && lines.contains("Sec-WebSocket-Protocol: a, b"))
        #expect(lines.contains("Origin: http://there") && lines.contains("Cookie: x=1"))
        #expect(!heads.entries[0].contains("h2c") && !heads.entries[0].contains("mine"))
    }

    @Test func `the answer may drip in byte by byte, with frames behind it`() throws {
        let server = ScriptedServer { peer in
            let answer = ScriptedPeer.answer(to: try peer.readHead())
            for byte in [UInt8](answer.utf8) + [0x81, 2, 0x68, 0x69] { try peer.send([byte]) }
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

    @Test func `frames in the same segment as the answer are not lost`() throws {
        let server = ScriptedServer { peer in
            let answer = ScriptedPeer.answer(to: try peer.readHead())
            try peer.send([UInt8]("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\(answer)".utf8) + [0x81, 1, 0x61])
            try peer.readToEnd()
        }
        let outcome = Outcome()
        try server.run {
            try withClients { group in
                group.connect(try ClientRequest(server.url), handlers: outcome.handlers, with: ())
                #expect(outcome.journal.wait(for: 2) == ["open -", "a"])
            }
        }
    }

    private static let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    @Test(arguments: [
        (["Upgrade: h2c", "Connection: Upgrade"], "the Upgrade header does not say websocket"),
        (["Upgrade: websocket, h2c", "Connection: Upgrade"], "the Upgrade header does not say websocket"),
        (["Connection: Upgrade"], "the Upgrade header does not say websocket"),
        (["Upgrade: websocket", "Connection: close"], "the Connection header does not say Upgrade"),
        (["Upgrade: websocket"], "the Connection header does not say Upgrade"),
        (["Upgrade: websocket", "Connection: upgrade", accept], "Sec-WebSocket-Accept is not the answer to the key"),
        (["Upgrade: websocket", "Connection: upgrade"], "Sec-WebSocket-Accept is not the answer to the key"),
    ])
    func `an answer that is no handshake is refused`(_ fields: [String], _ what: String) throws {
        try expectFailure(.invalidHandshake(what)) { peer in
            _ = try peer.readHead()
            try peer.send("HTTP/1.1 101 OK\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        }
    }

    @Test(arguments: [
        ("Sec-WebSocket-Protocol: other", "the subprotocol \"other\" was not asked for"),
        ("Sec-WebSocket-Protocol:", "the subprotocol \"\" was not asked for"),
        ("Sec-WebSocket-Extensions: permessage-foo; x=1", "the server uses an extension that was not offered"),
    ])
    func `what was not asked for must not be answered`(_ field: String, _ what: String) throws {
        try expectFailure(.invalidHandshake(what)) { try $0.upgrade(fields: [field]) }
    }

    @Test(arguments: [
        ("SSH-2.0-OpenSSH\r\n", "it is not HTTP/1"),
        ("HTTP/1.1 101\n\n", "its head holds a control character"),
        ("HTTP/1.1 10x Y\r\n\r\n", "its status line is malformed"),
        ("HTTP/1.1 101 OK\r\nno colon\r\n\r\n", "a field line is malformed"),
        ("HTTP/1.1 101 OK\r\nx: " + String(repeating: "y", count: 17_000), "its head is too large"),
        (String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 9), "too many interim responses"),
    ])
    func `an answer that is not HTTP is refused at once`(_ text: String, _ what: String) throws {
        try expectFailure(.invalidHandshake(what)) { peer in
            _ = try peer.readHead()
            try peer.send(text)
        }
    }

    @Test func `another status is told with the beginning of its body`() throws {
        let answers = [
            "Content-Length: 10\r\n\r\nnot today\nand more", "\r\nnot today\n",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n7\r\n today\n\r\n0\r\n\r\n",
        ]
        for answer in answers {
            let server = ScriptedServer { peer in
                _ = try peer.readHead()
                try peer.send("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\n" + answer)
            }
            try server.run {
                try withClients { group in
                    let failure = try Outcome().failure(of: try ClientRequest(server.url), group)
                    guard failure.code == .refused, let refusal = failure.answer else { throw failure }
                    #expect(refusal.status == 503 && refusal.status.reasonPhrase == "Service Unavailable")
                    #expect(refusal.headers[.retryAfter] == "3" && refusal.string == "not today\n")
                    #expect("\(failure)" == "the server answered 503 Service Unavailable: not today")
                }
            }
        }
    }

    @Test func `a server that drips its answer is cut when the time is over`() throws {
        let ended = Journal<Bool>()
        let server = ScriptedServer { peer in
            _ = try peer.readHead()
            defer { ended.note(true) }
            for byte in "HTTP/1.1 101 Switching Protocols\r\nX: ".utf8 {
                try peer.send([byte])
                pause(.milliseconds(5))
            }
            while true {
                try peer.send("y")
                pause(.milliseconds(20))
            }
        }
        try server.run {
            try withClients { group in
                var request = try ClientRequest(server.url)
                request.handshakeTimeout = .milliseconds(300)
                #expect(try Outcome().failure(of: request, group) == .timedOut(.answer))
                #expect(ended.wait() == [true])
            }
        }
    }

    @Test func `a server that hangs up is told from one that is not there`() throws {
        try expectFailure(.connectionLost(.answer)) { _ = try $0.readHead() }
        let unused = ScriptedServer { _ in }
        unused.run {}
        try withClients { group in
            let failure = try Outcome().failure(of: try ClientRequest(unused.url), group)
            #expect(failure == .cannotConnect(to: "127.0.0.1:\(unused.port)", "Connection refused"))
        }
    }

    private func expectFailure(
        _ expected: WebSocketClientError, sourceLocation: SourceLocation = #_sourceLocation,
        _ script: @escaping @Sendable (ScriptedPeer) throws -> Void
    ) throws {
        let server = ScriptedServer(script)
        try server.run {
            try withClients { group in
                let failure = try Outcome().failure(of: try ClientRequest(server.url), group)
                #expect(failure == expected, sourceLocation: sourceLocation)
                #expect(eventually { group.statistics[0].connections == 0 }, sourceLocation: sourceLocation)
            }
        }
    }
}
