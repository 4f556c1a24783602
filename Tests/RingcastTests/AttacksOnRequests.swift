import Glibc
import Ringcast
import Testing

/// What has brought other WebSocket servers down, one test each: the requests before the frames.
@Suite("Known attacks") struct RequestAttacks {
    static let hidden = "GET /hidden HTTP/1.1\r\nHost: test\r\n\r\n"

    /// Notes the paths that `fetch` sees and the sockets that are opened; `/refused` is refused.
    private func noting(_ journal: Journal<String>, _ body: @Sendable (Server) throws -> Void) async throws {
        let handlers = WebSocketHandlers<Void>(
            open: { _ in journal.note("open") }, message: { ws, message in ws.send(message) })
        try await serving(
            fetch: { request in
                journal.note(request.path)
                guard request.isWebSocketUpgrade else { return .response(.ok, "plain") }
                return request.path == "/refused" ? .response(.forbidden) : .upgrade(to: handlers)
            }, body: body)
    }

    // MARK: heads (CVE-2024-37890: a server ended by the number of header fields; CWE-770)

    @Test(arguments: [101, 2_000]) func `too many header fields are refused with 431`(count: Int) async throws {
        let journal = Journal<String>()
        try await noting(journal) { server in
            let client = try TCPClient(port: server.port)
            try client.send(SocketClient.request(fields: (0..<count).map { "a\($0): b" }))
            #expect(try client.readAnswer().status == 431)
            #expect(try client.isAtEnd())
            #expect(journal.entries == [])
            #expect(try SocketClient(port: server.port).answer.status == 101)
        }
    }

    @Test func `a head that does not end is refused with 431 at its bound, in however small pieces`() async throws {
        let journal = Journal<String>()
        try await noting(journal) { server in
            for pieceSize in [17, 5_000, 20_000] {
                let client = try TCPClient(port: server.port)
                try client.send("GET / HTTP/1.1\r\nHost: test\r\nX: ")
                for _ in 0..<20_000 / pieceSize { try client.send([UInt8](repeating: 0x78, count: pieceSize)) }
                #expect(try client.readAnswer().status == 431)
                #expect(try client.isAtEnd())
            }
            #expect(journal.entries == [])
        }
    }

    /// Heads within the limits on which a parser could spend the square of their length (CVE-2021-32640: spaces in a
    /// list of subprotocols; CWE-1333).
    @Test(arguments: [
        "Sec-WebSocket-Protocol: a\(String(repeating: " ", count: 14_000))b",
        "Sec-WebSocket-Protocol: \(String(repeating: "a,", count: 7_000))a",
        "Connection: \(String(repeating: ",", count: 14_000))",
        "Sec-WebSocket-Extensions: \(String(repeating: "a;b=\"c\",", count: 1_700))d",
        "Cookie: \(String(repeating: "a=;", count: 4_600))",
        "X: \(String(repeating: "\t ", count: 7_000))",
    ])
    func `a header of one's choice costs time in proportion to its length`(field: String) async throws {
        let journal = Journal<String>()
        try await noting(journal) { server in
            let request = SocketClient.request(path: "/refused", fields: [field])
            let before = clock()
            for _ in 0..<20 {
                let client = try TCPClient(port: server.port)
                try client.send(request)
                #expect([400, 403].contains(try client.readAnswer().status))
            }
            // 20 × 14,000² steps would take this process, which is the server too, more than half a minute.
            #expect((clock() - before) / CLOCKS_PER_SEC < 10)
        }
    }

    // MARK: smuggling (CWE-444): what a proxy in front may take for one request is one, or refused

    @Test(arguments: [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 6",
        "Content-Length: +5",
        "Content-Length: 0x5",
        "Content-Length: 18446744073709551616",
    ])
    func `a request that ends at two places is refused, and nothing behind it is read`(fields: String) async throws {
        let journal = Journal<String>()
        try await noting(journal) { server in
            let client = try TCPClient(port: server.port)
            try client.send("POST / HTTP/1.1\r\nHost: test\r\n\(fields)\r\n\r\n0\r\n\r\n\(Self.hidden)")
            #expect([400, 413, 501].contains(try client.readAnswer().status))
            #expect(try client.isAtEnd())
            #expect(journal.entries == [])
        }
    }

    @Test(arguments: [
        "Content-Length: \(hidden.utf8.count)", "Transfer-Encoding: chunked",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
    ])
    func `an upgrade with a body is refused, and the body is neither frames nor a request`(field: String) async throws {
        let journal = Journal<String>()
        try await noting(journal) { server in
            let client = try TCPClient(port: server.port)
            try client.send(SocketClient.request(fields: [field]) + Self.hidden)
            #expect(try client.readAnswer().status == 400)
            // Where the body has an end, the connection may go on behind it.
            client.shutDownWriting()
            #expect(try client.readToEnd() == [])
            #expect(!journal.entries.contains("/hidden") && !journal.entries.contains("open"))
        }
    }

    @Test func `a request behind a handshake is frames, and not a request`() async throws {
        let journal = Journal<String>()
        try await noting(journal) { server in
            let client = try TCPClient(port: server.port)
            try client.send(SocketClient.request(path: "/chat") + Self.hidden)
            let socket = SocketClient(upgraded: client, answer: try client.readAnswer())
            #expect(socket.answer.status == 101)
            #expect(try socket.read().closeCode == 1002, "`GE` has a reserved bit and no mask")
            #expect(try socket.isAtEnd())
            #expect(journal.wait(for: 2) == ["/chat", "open"])
        }
    }

    /// A proxy that takes any answer to an upgrade for a tunnel lets a client speak to the server behind it unseen.
    @Test(arguments: [
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 777", "/", 426),
        ("dGhlIHNhbXBsZSBub25jZQ==", "short", "/", 400), ("Upgrade: websocket", "Upgrade: websocket", "/refused", 403),
        ("Host: test", "Host: test\r\nOrigin: http://evil.example", "/", 403),
    ])
    func `what is behind a handshake that failed is not served`(
        from: String, to: String, path: String, status: Int
    ) async throws {
        let journal = Journal<String>()
        try await noting(journal) { server in
            let client = try TCPClient(port: server.port)
            let request = SocketClient.request(path: path)
            #expect(request.contains(from))
            try client.send(request.replacing(from, with: to) + Self.hidden)
            #expect(try client.readAnswer().status == status)
            #expect(try client.isAtEnd())
            #expect(!journal.entries.contains("/hidden") && !journal.entries.contains("open"))
        }
    }

    @Test func `an upgrade to another protocol changes nothing, and is no tunnel`() async throws {
        let journal = Journal<String>()
        try await noting(journal) { server in
            let client = try TCPClient(port: server.port)
            try client.send(
                "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                    + "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
            #expect(try client.readAnswer().text == "plain")
            #expect(try client.get("/next").text == "plain")
            #expect(journal.entries == ["/", "/next"])
        }
    }

    // MARK: cross-site hijacking (CWE-1385): a browser sends its cookies along with any page's handshake

    @Test(arguments: [
        "http://evil.example", "null", "http://test.evil.example", "http://eviltest", "http://test@evil.example",
        "http://evil.example/test", "http://evil.example#test", "http://evil.example?test", "http://test:81",
        "http://test:evil.example", "http://test.", "test", "", "file://", "http://", "http://evil.example http://test",
    ])
    func `another site's page opens no socket, whatever its origin looks like`(origin: String) async throws {
        let journal = Journal<String>()
        try await noting(journal) { server in
            let client = try TCPClient(port: server.port)
            try client.send(SocketClient.request(fields: ["Origin: \(origin)", "Cookie: session=1"]))
            #expect(try client.readAnswer().status == 403)
            #expect(!journal.entries.contains("open"))
            let own = try SocketClient(port: server.port, fields: ["Origin: http://test", "Cookie: session=1"])
            try own.send("hi")
            #expect(try own.readText() == "hi")
        }
    }

    @Test func `a second Origin does not hide the first`() async throws {
        let journal = Journal<String>()
        try await noting(journal) { server in
            for origins in [["http://evil.example", "http://test"], ["http://test", "http://evil.example"]] {
                let client = try TCPClient(port: server.port)
                try client.send(SocketClient.request(fields: origins.map { "Origin: \($0)" }))
                #expect([400, 403].contains(try client.readAnswer().status))
            }
            #expect(!journal.entries.contains("open"))
        }
    }
}
