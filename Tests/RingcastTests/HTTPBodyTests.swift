import Ringcast
import Testing

@Suite struct HTTPBodyTests {
    /// Answers with the body of the request, and how long it was.
    @Sendable static func mirror(_ request: borrowing Request) -> Reply {
        .response(.ok, bytes: request.bytes, headers: [.contentType: request.method.rawValue])
    }

    @Test func `a body that comes with its head is handed over`() async throws {
        try await serving(fetch: Self.mirror) { server in
            let client = try TCPClient(port: server.port)
            try client.send(
                "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try client.readAnswer().text == "hello")
            #expect(try client.readAnswer()["Content-Type"] == "GET")
        }
    }

    @Test func `a body is text for whom wants that, repaired where it is none`() async throws {
        try await serving(fetch: { request in .response(.ok, "\(request.string)|\(request.copy().request.string)") }) {
            server in
            let client = try TCPClient(port: server.port)
            try client.send([UInt8]("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\né".utf8) + [0x21, 0xFF])
            #expect(try client.readAnswer().text == "é!\u{FFFD}|é!\u{FFFD}")
            #expect(try client.get("/").text == "|")
        }
    }

    @Test func `a body that comes byte by byte is collected`() async throws {
        try await serving(fetch: Self.mirror) { server in
            let client = try TCPClient(port: server.port)
            for byte in "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello".utf8 {
                try client.send([byte])
                pause(.milliseconds(1))
            }
            #expect(try client.readAnswer().text == "hello")
        }
    }

    @Test func `a chunked body is put together`() async throws {
        try await serving(fetch: Self.mirror) { server in
            let client = try TCPClient(port: server.port)
            try client.send(
                "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nWiki\r\n5\r\npedia\r\n")
            pause(.milliseconds(20))
            try client.send("0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try client.readAnswer().text == "Wikipedia")
            #expect(try client.readAnswer().body.isEmpty)
        }
    }

    @Test func `a client that expects 100 is told to continue, once`() async throws {
        try await serving(fetch: Self.mirror) { server in
            let client = try TCPClient(port: server.port)
            try client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            #expect(try client.readAnswer().status == 100)
            try client.send("ok")
            #expect(try client.readAnswer().text == "ok")
        }
    }

    @Test func `a body over the limit gets 413, announced or chunked`() async throws {
        try await serving({ $0.limits.bodyBytes = 10 }, fetch: Self.mirror) { server in
            for request in [
                "Content-Length: 11\r\n\r\nhello world",
                "Transfer-Encoding: chunked\r\n\r\nB\r\nhello world\r\n0\r\n\r\n",
            ] {
                let client = try TCPClient(port: server.port)
                try client.send("POST / HTTP/1.1\r\nHost: t\r\n\(request)")
                #expect(try client.readAnswer().status == 413)
                #expect(try client.isAtEnd())
            }
        }
    }

    @Test func `the answer to a body over the limit arrives although the client goes on sending`() async throws {
        try await serving(fetch: Self.mirror) { server in
            let client = try TCPClient(port: server.port)
            try client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9999999\r\n\r\n")
            try client.send([UInt8](repeating: 0x61, count: 500_000))
            #expect(try client.readAnswer().status == 413)
        }
    }
}
