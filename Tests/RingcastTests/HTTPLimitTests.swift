import Ringcast
import Testing

@Suite struct HTTPLimitTests {
    @Sendable static func ok(_ request: borrowing Request) -> Reply { .response(.ok) }

    /// A request that is refused, told apart by a name.
    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let head: String
        let status: Int

        init(_ name: String, _ head: String, _ status: Int) {
            (testDescription, self.head, self.status) = (name, head, status)
        }
    }

    @Test(arguments: [
        Refused(
            "17 KB of head", "GET / HTTP/1.1\r\nHost: t\r\nX: \(String(repeating: "x", count: 17_000))\r\n\r\n", 431),
        Refused("101 fields", "GET / HTTP/1.1\r\nHost: t\r\n\(String(repeating: "X: y\r\n", count: 100))\r\n", 431),
        Refused("long target", "GET /\(String(repeating: "x", count: 8_192)) HTTP/1.1\r\nHost: t\r\n\r\n", 414),
        Refused("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
        Refused("two Hosts", "GET / HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n", 400),
        Refused("space before the colon", "GET / HTTP/1.1\r\nHost : t\r\n\r\n", 400),
        Refused("folded field", "GET / HTTP/1.1\r\nHost: t\r\n folded\r\n\r\n", 400),
        Refused("bare line feeds", "GET / HTTP/1.1\nHost: t\n\n", 400),
        Refused(
            "length and chunks",
            "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        Refused("two lengths", "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        Refused("HTTP/2.0", "GET / HTTP/2.0\r\nHost: t\r\n\r\n", 505),
    ])
    func `what cannot be served is refused, and the connection is closed`(_ request: Refused) async throws {
        try await serving(fetch: Self.ok) { server in
            let client = try TCPClient(port: server.port)
            try client.send(request.head)
            let answer = try client.readAnswer()
            #expect(answer.status == request.status)
            #expect(answer["Connection"] == "close")
            #expect(try client.isAtEnd())
        }
    }

    @Test func `a connection that asks nothing is closed without a word`() async throws {
        try await serving({ $0.limits.headTimeout = .milliseconds(200) }, fetch: Self.ok) { server in
            let client = try TCPClient(port: server.port)
            #expect(try client.isAtEnd())
        }
        try await serving({ $0.limits.keepAliveTimeout = .milliseconds(200) }, fetch: Self.ok) { server in
            let client = try TCPClient(port: server.port)
            #expect(try client.get("/").status == 200)
            #expect(try client.isAtEnd())
        }
    }

    @Test func `limits are named where they are made, and the others stay`() {
        let limits = ServerLimits(bodyBytes: 10, keepAliveTimeout: .seconds(1), connections: 5)
        #expect(limits.bodyBytes == 10 && limits.keepAliveTimeout == .seconds(1) && limits.connections == 5)
        #expect(limits.headBytes == ServerLimits().headBytes && limits.topicsPerSocket == 10_000)
    }
}
