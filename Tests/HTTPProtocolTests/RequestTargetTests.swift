import HTTPProtocol
import HTTPTypes
import Testing

@Suite struct RequestTargetTests {
    @Test func `a target of origin form is divided at the first question mark`() throws {
        try withHead("GET /a%20b?x=1?y HTTP/1.1\r\nHost: h\r\n\r\n") { head in
            #expect(head.target == "/a%20b?x=1?y")
            #expect(head.rawPath == "/a%20b")
            #expect(head.path == "/a b")
            #expect(head.rawQuery == "x=1?y")
            #expect(head.authority == "h")
        }
    }

    @Test func `a target of absolute form names the host itself`() throws {
        try withHead("GET HTTP://one.example:81/p?q=2 HTTP/1.1\r\nHost: two.example\r\n\r\n") { head in
            #expect(head.path == "/p")
            #expect(head.query("q") == "2")
            #expect(head.authority == "one.example:81")
        }
    }

    @Test func `a target of absolute form without a path means the root`() throws {
        try withHead("GET https://a HTTP/1.1\r\nHost: a\r\n\r\n") { #expect($0.path == "/") }
        try withHead("GET http://[::1]?q=2 HTTP/1.1\r\nHost: a\r\n\r\n") { head in
            #expect(head.rawPath == "/")
            #expect(head.query("q") == "2")
            #expect(head.authority == "[::1]")
        }
    }

    @Test func `OPTIONS may be about the server as a whole`() throws {
        try withHead("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") { head in
            #expect(head.path == "*")
            #expect(head.method == .options)
        }
    }

    @Test(arguments: [
        ("/%41%62", "/Ab"), ("/%e2%82%ac", "/€"), ("/a%2Fb", "/a/b"), ("/a+b", "/a+b"), ("/100%", "/100%"),
        ("/%4", "/%4"), ("/%zz", "/%zz"), ("/%%41", "/%A"), ("/%ff", "/\u{FFFD}"), ("/%2541", "/%41"),
    ])
    func `a path is decoded once and keeps malformed escapes`(sent: String, path: String) throws {
        try withHead("GET \(sent) HTTP/1.1\r\nHost: a\r\n\r\n") { head in
            #expect(head.path == path)
            #expect(head.rawPath == sent)
        }
    }

    @Test func `a query gives the first value of a name`() throws {
        try withHead("GET /?a=1&b=x+y%21&a=2&empty=&flag&&n%61me=v%3D&=none HTTP/1.1\r\nHost: a\r\n\r\n") { head in
            #expect(head.query("a") == "1")
            #expect(head.query("b") == "x y!")
            #expect(head.query("empty") == "")
            #expect(head.query("flag") == "")
            #expect(head.query("name") == "v=")
            #expect(head.query("") == "none")
            #expect(head.query("A") == nil)
            #expect(head.query("nam") == nil)
            #expect(head.query("names") == nil)
        }
    }

    @Test func `a target without a query has no values`() throws {
        try withHead("GET /a=1 HTTP/1.1\r\nHost: a\r\n\r\n") { head in
            #expect(head.query("a") == nil)
            #expect(head.query("") == nil)
            #expect(head.rawQuery == "")
        }
        try withHead("GET /? HTTP/1.1\r\nHost: a\r\n\r\n") { #expect($0.query("a") == nil) }
    }
}
