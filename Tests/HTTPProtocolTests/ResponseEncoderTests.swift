import HTTPProtocol
import HTTPTypes
import Testing

@Suite struct ResponseEncoderTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    private func encoded(
        _ status: HTTPResponse.Status = .ok, _ fields: HTTPFields = [:], body: String = "", keepAlive: Bool = true,
        isHead: Bool = false, isHTTP11: Bool = true
    ) throws -> String {
        var output: [UInt8] = []
        let bytes = Array(body.utf8)
        try ResponseEncoder.encode(
            status: status, fields: fields, body: bytes.rawSpan, keepAlive: keepAlive, isHead: isHead,
            isHTTP11: isHTTP11, date: Self.date, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `a response is its status line, fields and body`() throws {
        #expect(
            try encoded(.ok, [.contentType: "text/plain"], body: "hello")
                == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: \(Self.date)\r\nContent-Length: 5\r\n\r\nhello"
        )
    }

    @Test func `a response is appended to what is there`() throws {
        var output = Array("before ".utf8)
        try ResponseEncoder.encode(
            status: .notFound, fields: [:], framing: .length(0), keepAlive: true, isHead: false, date: Self.date,
            into: &output)
        let head = "HTTP/1.1 404 Not Found\r\nDate: \(Self.date)\r\nContent-Length: 0\r\n\r\n"
        #expect(String(decoding: output, as: UTF8.self) == "before " + head)
    }

    @Test func `the end of the connection is announced`() throws {
        #expect(try encoded(keepAlive: false).hasSuffix("Content-Length: 0\r\nConnection: close\r\n\r\n"))
    }

    @Test func `a client of HTTP 1 0 is told that the connection stays`() throws {
        #expect(try encoded(isHTTP11: false).hasSuffix("Content-Length: 0\r\nConnection: keep-alive\r\n\r\n"))
        #expect(try encoded(keepAlive: false, isHTTP11: false).hasSuffix("\r\nConnection: close\r\n\r\n"))
    }

    @Test func `framing is the server's, whatever the fields say`() throws {
        let fields: HTTPFields = [
            .contentLength: "99", .transferEncoding: "chunked", .connection: "Keep-Alive", .server: "x",
        ]
        #expect(
            try encoded(.ok, fields, body: "abc", keepAlive: false)
                == "HTTP/1.1 200 OK\r\nServer: x\r\nDate: \(Self.date)\r\nContent-Length: 3\r\n"
                + "Connection: close\r\n\r\nabc"
        )
    }

    @Test func `a connection option such as Upgrade is kept beside ours`() throws {
        let fields: HTTPFields = [.upgrade: "websocket", .connection: "Upgrade, keep-alive"]
        #expect(try encoded(.upgradeRequired, fields, keepAlive: false).contains("\r\nConnection: Upgrade, close\r\n"))
        #expect(try encoded(.upgradeRequired, fields).contains("\r\nConnection: Upgrade\r\n"))
    }

    @Test func `a date given is not doubled`() throws {
        #expect(
            try encoded(.ok, [.date: "Thu, 01 Jan 1970 00:00:00 GMT"])
                == "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n")
    }

    @Test func `repeated cookies are sent on lines of their own`() throws {
        var fields = HTTPFields()
        fields.append(HTTPField(name: .setCookie, value: "a=1"))
        fields.append(HTTPField(name: .setCookie, value: "b=2"))
        #expect(try encoded(.ok, fields).contains("\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"))
    }

    @Test func `HEAD gets the length of the body but not the body`() throws {
        let head = "HTTP/1.1 200 OK\r\nDate: \(Self.date)\r\nContent-Length: "
        #expect(try encoded(body: "hello", isHead: true) == head + "5\r\n\r\n")
        #expect(try encoded(.ok, [.contentLength: "123"], isHead: true) == head + "123\r\n\r\n")
        #expect(try encoded(.ok, [.contentLength: "1x"], isHead: true) == head + "0\r\n\r\n")
    }

    @Test func `a body is chunked, or ends with the connection`() throws {
        func head(_ framing: ResponseFraming, isHead: Bool = false, _ fields: HTTPFields = [:]) throws -> String {
            var output: [UInt8] = []
            try ResponseEncoder.encode(
                status: .ok, fields: fields, framing: framing, keepAlive: framing == .chunked, isHead: isHead,
                date: Self.date, into: &output)
            return String(decoding: output, as: UTF8.self)
        }
        let start = "HTTP/1.1 200 OK\r\nDate: \(Self.date)\r\n"
        #expect(try head(.chunked) == start + "Transfer-Encoding: chunked\r\n\r\n")
        #expect(try head(.chunked, isHead: true) == start + "\r\n")
        #expect(try head(.chunked, isHead: true, [.contentLength: "7"]) == start + "Content-Length: 7\r\n\r\n")
        #expect(try head(.endOfConnection, [.contentLength: "7"]) == start + "Connection: close\r\n\r\n")
        #expect(throws: UnsendableResponse.length(-1)) { try head(.length(-1)) }
        let piece = ResponseFraming.chunked.prefix(ofPiece: 300) + ResponseFraming.chunked.suffixOfPiece
        #expect(piece + ResponseFraming.chunked.end == "12c\r\n\r\n0\r\n\r\n")
    }

    @Test(arguments: [(204, "No Content"), (304, "Not Modified")])
    func `a status without a body has no length either`(code: Int, phrase: String) throws {
        let expected = "HTTP/1.1 \(code) \(phrase)\r\nDate: \(Self.date)\r\n\r\n"
        #expect(try encoded(.init(code: code), [.contentLength: "5"], body: "hello") == expected)
    }

    @Test func `a reset of content says that it is empty`() throws {
        #expect(try encoded(.resetContent, body: "hello").hasSuffix("\r\nContent-Length: 0\r\n\r\n"))
    }

    @Test func `a reason phrase is the status' own, the registered one, or empty`() throws {
        #expect(try encoded(.init(code: 200, reasonPhrase: "Fine")).hasPrefix("HTTP/1.1 200 Fine\r\n"))
        #expect(try encoded(503).hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(try encoded(799).hasPrefix("HTTP/1.1 799 \r\n"))
    }

    @Test func `what cannot be sent throws and appends nothing`() {
        var output = Array("before".utf8)
        // 1xx: the client would go on waiting for the final response (RFC 9110 §15.2).
        for code in [0, 99, 100, 101, 103, 199] {
            #expect(throws: UnsendableResponse.status(code)) {
                try ResponseEncoder.encode(
                    status: .init(code: code), fields: [:], framing: .length(0), keepAlive: true, isHead: false,
                    date: Self.date, into: &output)
            }
        }
        #expect(throws: UnsendableResponse.field(name: "Date")) {
            try ResponseEncoder.encode(
                status: .ok, fields: [.server: "x"], framing: .length(0), keepAlive: true, isHead: false,
                date: "now\r\nX: y",
                into: &output)
        }
        #expect(output == Array("before".utf8))
    }

    @Test(arguments: [
        ("Name", "a\rb"), ("Name", "a\nb"), ("Name", "a\u{0}b"), ("Name", "\u{7F}"), ("Na\r\nme", "a"), ("", "a"),
        ("Na me", "a"), ("Name:", "a"),
    ])
    func `a field with a line break or NUL is not made`(name: String, value: String) {
        #expect(throws: UnsendableResponse.field(name: name)) { try HTTPField(sending: name, value: value) }
    }

    @Test func `a clean field is made as it is`() throws {
        let field = try HTTPField(sending: "X-Name", value: "é\tb")
        #expect(field.name.rawName == "X-Name")
        #expect(field.value == "é\tb")
    }

    @Test func `the author of a response can ask for the connection to end`() {
        #expect(ResponseEncoder.asksToClose([.connection: "Upgrade, Close"]))
        #expect(!ResponseEncoder.asksToClose([.connection: "closed"]))
        #expect(!ResponseEncoder.asksToClose([:]))
    }

    @Test func `leave to send a body is one line`() {
        #expect(ResponseEncoder.continueLine == Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }
}
