import HTTPProtocol
import HTTPTypes
import Testing

@Suite struct RequestLineTests {
    @Test func `a head is complete with its blank line`() throws {
        let text = "GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\n\r\n"
        let layout = try #require(verdict(text + "behind it").layout)
        #expect(layout.byteCount == text.utf8.count)
        #expect(layout.method == 0..<3)
        #expect(layout.target == 4..<16)
        #expect(layout.path == 4..<9)
        #expect(layout.query == 10..<16)
        #expect(layout.fields == 27..<46)
        #expect(layout.isHTTP11)
        #expect(layout.body == .none)
    }

    @Test func `a head without its blank line needs more`() {
        #expect(verdict("") == .incomplete)
        #expect(verdict("GET / HTTP/1.1\r\nHost: a\r\n") == .incomplete)
        #expect(verdict("GET / HTTP/1.1\r\nHost: a\r\n\r") == .incomplete)
    }

    @Test func `a line that was read is not looked at again`() {
        let text = "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "Name: value\r\n", count: 20) + "\r\n"
        var bytes = Array(text.utf8)
        var parser = RequestHeadParser()
        var lineStart = 0
        for count in 1..<bytes.count {
            #expect(parser.parse(bytes.rawSpan.extracting(first: count)) == .incomplete)
            guard bytes[count - 1] == 0x0A else { continue }
            // Were these bytes read once more, they would be refused.
            for offset in lineStart..<count { bytes[offset] = 0 }
            lineStart = count
        }
        #expect(parser.parse(bytes.rawSpan).layout?.byteCount == bytes.count)
    }

    @Test func `a few empty lines before a request are skipped`() throws {
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        let layout = try #require(verdict("\r\n\r\n" + request).layout)
        #expect(layout.method == 4..<7)
        #expect(layout.byteCount == 4 + request.utf8.count)
        #expect(verdict(String(repeating: "\r\n", count: 4) + request).layout != nil)
        #expect(verdict(String(repeating: "\r\n", count: 5) + request).refusedStatus == 400)
    }

    @Test func `HEAD is known by its exact name`() throws {
        #expect(try #require(verdict("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").layout).isHead)
        #expect(try !#require(verdict("head / HTTP/1.1\r\nHost: a\r\n\r\n").layout).isHead)
    }

    @Test func `a method of one's own is served`() throws {
        try withHead("M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n") { #expect($0.method.rawValue == "M-SEARCH") }
    }

    @Test(arguments: [
        " / HTTP/1.1\r\n",  // no method
        "GET\t/ HTTP/1.1\r\n",
        "G(T / HTTP/1.1\r\n",
        "GÉT / HTTP/1.1\r\n",
        "\u{16}\u{03}\u{01}\u{02}",  // a TLS greeting
        "GET  / HTTP/1.1\r\n",  // two spaces
        "GET /\tx HTTP/1.1\r\n",
        "GET /\u{7F} HTTP/1.1\r\n",
        "GET /é HTTP/1.1\r\n",
        "GET /#top HTTP/1.1\r\n",
        "GET / HTTP/1.1 \r\n",  // a space behind the version
        "GET / http/1.1\r\n",
        "GET / HTTP/1,1\r\n",
        "GET / HTTP/11\r\n",
        "GET / HTTP/1.10\r\n",
        "GET /\r\n",  // HTTP/0.9
        "GET / \r\n",
        "GET / HTTP/1.1\n",  // no carriage return
        "GET / HTTP/1.1\r\r\n",
        "\nGET / HTTP/1.1\r\n",
        "\rGET / HTTP/1.1\r\n",
        "GET example.com HTTP/1.1\r\n",
        "GET * HTTP/1.1\r\n",
        "OPTIONS ** HTTP/1.1\r\n",
        "GET ftp://a/ HTTP/1.1\r\n",
        "GET http:///path HTTP/1.1\r\n",
        "GET http://user@host/ HTTP/1.1\r\n",
        "CONNECT example.com:443 HTTP/1.1\r\n",
    ])
    func `a malformed request line is refused with 400 before any field came`(line: String) {
        #expect(verdict(line).refusedStatus == 400)
    }

    @Test(arguments: ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3.0"])
    func `another version is refused with 505`(version: String) {
        #expect(verdict("GET / \(version)\r\n").refusedStatus == 505)
    }

    @Test func `a method that no one registered for its length is refused with 501`() {
        let longest = String(repeating: "M", count: 32)
        #expect(verdict(longest + " / HTTP/1.1\r\nHost: a\r\n\r\n").layout != nil)
        #expect(verdict(longest + "M").refusedStatus == 501)
    }

    @Test func `a target over its limit is refused with 414 before its line ends`() {
        let limits = RequestLimits(targetBytes: 16)
        let longest = "/" + String(repeating: "x", count: 15)
        #expect(verdict("GET \(longest) HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits).layout != nil)
        #expect(verdict("GET \(longest)", limits: limits) == .incomplete)
        #expect(verdict("GET \(longest)x", limits: limits).refusedStatus == 414)
    }
}
