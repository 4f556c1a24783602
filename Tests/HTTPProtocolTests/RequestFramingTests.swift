import HTTPProtocol
import Testing

@Suite struct RequestFramingTests {
    private func layout(_ version: String, _ fields: String) throws -> RequestHeadLayout {
        try #require(verdict("POST / HTTP/\(version)\r\n\(fields)\r\n").layout)
    }

    @Test func `a length frames the body`() throws {
        #expect(try layout("1.1", "Host: a\r\nContent-Length: 12\r\n").body == .length(12))
        #expect(try layout("1.1", "Host: a\r\ncontent-length: 0012\r\n").body == .length(12))
        #expect(try layout("1.0", "Content-Length: 12\r\n").body == .length(12))
        #expect(try layout("1.1", "Host: a\r\nContent-Length: 0\r\n").body == .none)
        #expect(try layout("1.1", "Host: a\r\n").body == .none)
    }

    @Test func `a length may be repeated when it is the same`() throws {
        #expect(try layout("1.1", "Host: a\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n").body == .length(5))
    }

    @Test func `chunked frames the body`() throws {
        #expect(try layout("1.1", "Host: a\r\nTransfer-Encoding: chunked\r\n").body == .chunked)
        #expect(try layout("1.1", "Host: a\r\ntransfer-encoding:CHUNKED \r\n").body == .chunked)
    }

    @Test func `a length over the limit is refused with 413 before the body comes`() {
        let limits = RequestLimits(bodyBytes: 100)
        func status(_ length: String) -> Int {
            verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n", limits: limits).refusedStatus
        }
        #expect(status("100") == 0)
        #expect(status("101") == 413)
        #expect(status("9223372036854775807") == 413)
        #expect(status("9223372036854775808") == 413)
        #expect(status(String(repeating: "9", count: 1000)) == 413)
    }

    @Test func `HTTP 1 1 keeps the connection unless told to close it`() throws {
        #expect(try layout("1.1", "Host: a\r\n").keepsAlive)
        #expect(try !layout("1.1", "Host: a\r\nConnection: Close\r\n").keepsAlive)
        #expect(try !layout("1.1", "Host: a\r\nConnection: keep-alive, x\r\nConnection: ,close\r\n").keepsAlive)
        #expect(try layout("1.1", "Host: a\r\nConnection: closed\r\n").keepsAlive)
    }

    @Test func `HTTP 1 0 keeps the connection only when asked, and needs no Host`() throws {
        #expect(try !layout("1.0", "").keepsAlive)
        #expect(try layout("1.0", "Connection: Keep-Alive\r\n").keepsAlive)
        #expect(try !layout("1.0", "Connection: keep-alive, close\r\n").keepsAlive)
        #expect(try !layout("1.0", "").isHTTP11)
    }

    @Test func `the wish to upgrade is a token among others`() throws {
        #expect(try layout("1.1", "Host: a\r\nConnection: keep-alive, Upgrade\r\n").requestsUpgrade)
        #expect(try !layout("1.1", "Host: a\r\nConnection: upgraded\r\nUpgrade: websocket\r\n").requestsUpgrade)
    }

    @Test(arguments: [
        ("Upgrade: websocket\r\n", true), ("upgrade: h2c , WebSocket\r\n", true),
        ("Upgrade: h2c\r\nUpgrade:\tWEBSOCKET\r\n", true), ("Upgrade: websockets\r\n", false),
        ("Upgrade: h2c websocket\r\n", false), ("X: websocket\r\n", false), ("Upgrade:\r\n", false),
    ])
    func `WebSocket is a protocol among others`(lines: String, isNamed: Bool) throws {
        #expect(try layout("1.1", "Host: a\r\n\(lines)").namesWebSocket == isNamed)
    }

    @Test func `a client may wait for leave to send its body`() throws {
        let expectation = "Expect: 100-Continue\r\n"
        #expect(try layout("1.1", "Host: a\r\n\(expectation)Content-Length: 5\r\n").expectsContinue)
        #expect(try layout("1.1", "Host: a\r\n\(expectation)Transfer-Encoding: chunked\r\n").expectsContinue)
        #expect(try !layout("1.1", "Host: a\r\n\(expectation)").expectsContinue)
        #expect(try !layout("1.0", "Host: a\r\n\(expectation)Content-Length: 5\r\n").expectsContinue)
    }

    @Test func `another expectation is refused with 417`() {
        #expect(verdict("GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n").refusedStatus == 417)
    }

    @Test func `an empty Host is legal`() throws {
        #expect(try layout("1.1", "Host:\r\n").isHTTP11)
        #expect(try layout("1.1", "Host: [2001:db8::1]:8080\r\n").isHTTP11)
    }

    @Test func `pipelined requests follow each other in one buffer`() throws {
        let requests = [
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n", "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            "\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
        ]
        var bytes = Array(requests.joined().utf8)[...]
        var paths: [String] = []
        while !bytes.isEmpty {
            let rest = Array(bytes)
            let layout = try #require(verdict(rest).layout)
            paths.append(RequestHead(bytes: rest.rawSpan, layout: layout).path)
            var body = BodyDecoder(framing: layout.body, limit: 10)
            var position = layout.byteCount
            while body.next(in: rest.rawSpan, at: &position) != .end {}
            bytes = bytes.dropFirst(position)
        }
        #expect(paths == ["/1", "/2", "/3"])
    }
}
