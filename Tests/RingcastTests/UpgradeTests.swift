import Ringcast
import Testing
import WebSocketProtocol

@Suite struct UpgradeTests {
    static let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })

    @Test func `a handshake is answered with 101 and the key's digest`() async throws {
        try await serving(Self.echo) { server in
            let client = try SocketClient(port: server.port)
            #expect(client.answer["Upgrade"] == "websocket")
            #expect(client.answer["Connection"] == "Upgrade")
            // RFC 6455 §1.3.
            #expect(client.answer["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            #expect(client.answer["Sec-WebSocket-Protocol"] == nil)
            #expect(client.answer["Sec-WebSocket-Extensions"] == nil)
            #expect(client.answer["Content-Length"] == nil)
        }
    }

    /// A handshake with one thing wrong.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let from: String
        let to: String
        let status: Int

        init(_ name: String, _ from: String, _ to: String, _ status: Int) {
            (testDescription, self.from, self.to, self.status) = (name, from, to, status)
        }
    }

    @Test(arguments: [
        Wrong("wrong method", "GET /", "PUT /", 405),
        Wrong("HTTP/1.0", "HTTP/1.1", "HTTP/1.0", 400),
        Wrong("no Upgrade", "Upgrade: websocket\r\n", "", 426),
        Wrong("another Upgrade", "Upgrade: websocket", "Upgrade: h2c", 426),
        Wrong("no Connection", "Connection: Upgrade\r\n", "", 400),
        Wrong("no key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400),
        Wrong("a short key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", 400),
        Wrong("version 8", "Version: 13", "Version: 8", 426),
        Wrong("a body", "Host: test", "Host: test\r\nContent-Length: 2", 400),
        Wrong("another site", "Host: test", "Host: test\r\nOrigin: http://evil.example", 403),
        Wrong("no site", "Host: test", "Host: test\r\nOrigin: null", 403),
    ])
    func `a handshake that is not in order is answered with what is wrong`(_ wrong: Wrong) async throws {
        try await serving(Self.echo) { server in
            let client = try TCPClient(port: server.port)
            let request = SocketClient.request()
            #expect(request.contains(wrong.from))
            try client.send(request.replacing(wrong.from, with: wrong.to) + (wrong.status == 400 ? "ab" : ""))
            let answer = try client.readAnswer()
            #expect(answer.status == wrong.status)
            #expect(answer.body.isEmpty == false)
            if wrong.status == 405 { #expect(answer["Allow"] == "GET") }
            if wrong.status == 426 {
                #expect(answer["Sec-WebSocket-Version"] == "13")
                #expect(answer["Upgrade"] == "websocket")
            }
        }
    }

    @Test func `a page's request where a WebSocket is gets 426, and the connection stays`() async throws {
        try await serving(Self.echo) { server in
            let client = try TCPClient(port: server.port)
            for _ in 0..<2 {
                let answer = try client.get("/")
                #expect(answer.status == 426 && answer["Upgrade"] == "websocket" && answer["Connection"] == "Upgrade")
            }
            try client.send(SocketClient.request())
            #expect(try client.readAnswer().status == 101)
        }
    }

    @Test(arguments: [
        (OriginPolicy.sameOrigin, "http://test"), (.sameOrigin, "https://test:443"), (.any, "http://evil.example"),
        (.allow(["https://friend.example"]), "https://friend.example"),
    ])
    func `an origin that the policy permits may upgrade`(_ policy: OriginPolicy, _ origin: String) async throws {
        try await serving(Self.echo, { $0.originPolicy = policy }) { server in
            let client = try SocketClient(port: server.port, fields: ["Origin: \(origin)"])
            #expect(client.answer.status == 101)
        }
    }

    @Test func `the first subprotocol of the server's that the client offers is chosen`() async throws {
        let journal = Journal<String?>()
        let handlers = WebSocketHandlers<Void>(open: { ws in journal.note(ws.subprotocol) })
        try await serving(handlers, { $0.subprotocols = ["b", "c"] }) { server in
            let chosen = try ["a, c, b", "x"].map { try subprotocol(of: server, offering: $0) }
            #expect(chosen == ["b", nil])
            #expect(journal.wait(for: 2) == ["b", nil])
        }
    }

    /// What the server chooses of a client's offer.
    private func subprotocol(of server: Server, offering names: String) throws -> String? {
        try SocketClient(port: server.port, fields: ["Sec-WebSocket-Protocol: \(names)"]).answer[
            "Sec-WebSocket-Protocol"]
    }

    @Test func `a subprotocol can be chosen by the upgrade`() async throws {
        try await serving(
            { $0.subprotocols = ["b"] }, fetch: { _ in .upgrade(to: Self.echo, subprotocol: "c") }
        ) { server in
            let chosen = try ["b, c", "b"].map { try subprotocol(of: server, offering: $0) }
            #expect(chosen == ["c", nil])
        }
    }

    @Test func `headers are added, repeated ones too, but not those of the handshake`() async throws {
        try await serving(fetch: { _ in
            var headers: HTTPFields = [
                .setCookie: "a=1", .secWebSocketAccept: "mine", .upgrade: "h2c", .connection: "close",
            ]
            headers.append(HTTPField(name: .setCookie, value: "b=2"))
            return .upgrade(to: Self.echo, headers: headers)
        }) { server in
            let answer = try SocketClient(port: server.port).answer
            #expect(answer.values("Set-Cookie") == ["a=1", "b=2"])
            #expect(answer.values("Sec-WebSocket-Accept") == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])
            #expect(answer.values("Upgrade") == ["websocket"])
            #expect(answer.values("Connection") == ["Upgrade"])
        }
    }

    @Test func `frames behind the handshake in the same segment are not lost`() async throws {
        try await serving(Self.echo) { server in
            let client = try TCPClient(port: server.port)
            try client.send([UInt8](SocketClient.request().utf8) + SocketClient.encode(.text, [0x68, 0x69]))
            let socket = SocketClient(upgraded: client, answer: try client.readAnswer())
            #expect(try socket.readText() == "hi")
        }
    }

    @Test func `nor are they when the upgrade is deferred`() async throws {
        try await serving(fetch: { _ in
            .deferred {
                try await Task.sleep(for: .milliseconds(40))
                return .upgrade(to: Self.echo)
            }
        }) { server in
            let client = try TCPClient(port: server.port)
            try client.send([UInt8](SocketClient.request().utf8) + SocketClient.encode(.text, [0x68, 0x69]))
            try client.send(SocketClient.encode(.binary, [UInt8](repeating: 7, count: 200_000)))
            let socket = SocketClient(upgraded: client, answer: try client.readAnswer())
            #expect(try socket.readText() == "hi")
            #expect(try socket.read().payload.count == 200_000)
        }
    }

    @Test func `a refused upgrade with bytes behind it is answered and closed`() async throws {
        try await serving(fetch: { _ in .response(.unauthorized, "no") }) { server in
            let client = try TCPClient(port: server.port)
            try client.send([UInt8](SocketClient.request().utf8) + SocketClient.encode(.text, [0x68, 0x69]))
            #expect(try client.readAnswer().status == 401)
            #expect(try client.isAtEnd())
        }
    }

    @Test func `a refused upgrade closes, whatever comes behind it and when`() async throws {
        try await serving(fetch: { request in
            #expect(request.isWebSocketUpgrade == (request.path == "/ws"))
            return .response(.unauthorized, "no")
        }) { server in
            let client = try TCPClient(port: server.port)
            #expect(try client.get("/").status == 401)
            try client.send(SocketClient.request(path: "/ws"))
            let answer = try client.readAnswer()
            #expect(answer.status == 401 && answer["Connection"] == "close")
            // May fail already.
            try? client.send("GET /stats HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(try client.isAtEnd())
        }
    }

    @Test func `one server can have several kinds of sockets`() async throws {
        let numbers = WebSocketHandlers<Int>(message: { ws, _ in
            ws.data += 1
            ws.send("\(ws.data)")
        })
        try await serving(fetch: { request in
            request.path == "/numbers" ? .upgrade(to: numbers, with: 41) : .upgrade(to: Self.echo)
        }) { server in
            let first = try SocketClient(port: server.port)
            let second = try SocketClient(port: server.port, path: "/numbers")
            try first.send("hello")
            try second.send("hello")
            #expect(try first.readText() == "hello")
            #expect(try second.readText() == "42")
        }
    }
}
