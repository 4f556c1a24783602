import HTTPProtocol
import Testing

/// `uri-host [ ":" port ]` (RFC 9112 §3.2, RFC 3986 §3.2.2), as `Host` and in a target of absolute form.
@Suite struct HostTests {
    @Test(arguments: [
        "a", "example.com", "EXAMPLE.com:443", "a:", "a:0", "xn--bcher-kva.example", "a_b~c-d.e", "a!$&'()*+,;=b",
        "%41%c3%BC",
        "127.0.0.1", "127.0.0.1:80", "999.1", "[::]", "[::1]:3000", "[::1]:", "[1:2:3:4:5:6:7:8]", "[1::8]",
        "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]", "[2001:DB8::1]", "[::ffff:192.0.2.1]", "[1:2:3:4:5:6:1.2.3.4]:80",
        "[v1.a:b]", "[vF.~]:1",
    ])
    func `a host with or without a port is served`(host: String) throws {
        #expect(verdict("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").layout != nil)
        try withHead("GET http://\(host)/x HTTP/1.1\r\nHost: other\r\n\r\n") { #expect($0.authority == host) }
    }

    @Test(arguments: [
        "a:b", "a:80:90", "a:80x", "a:-1", "a: 80", "::1", ":", ":80", "[x]", "[", "]", "[]", "[::1", "::1]", "[::1]x",
        "[::1]80", "[::1]:x", "a[::1]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7::8]", "[1::2::3]",
        "[:::]",
        "[:1::]", "[1:]", "[1::2:]", "[12345::]", "[::g]", "[::1%25eth0]", "[::1%eth0]", "[::1.2.3]", "[::1.2.3.256]",
        "[::1.2.3.04]", "[::1.2.3.4:1]", "[1.2.3.4]", "[1:2:3:4:5:6:7:1.2.3.4]", "[v.a]", "[v1.]", "[v1a]", "[vg.a]",
        "[[::1]]", "%zz", "%4", "%", "a%", "a%4", "a%2:1", "a b", "a\"b", "a<b", "a\\b", "a^b", "a`b", "a{b", "a|b",
        "user@a",
    ])
    func `what is no host and port is refused`(host: String) {
        #expect(verdict("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").refusedStatus == 400)
        #expect(verdict("GET / HTTP/1.0\r\nHost: \(host)\r\n\r\n").refusedStatus == 400)
        #expect(verdict("GET http://\(host)/ HTTP/1.1\r\nHost: other\r\n\r\n").refusedStatus == 400)
    }

    @Test func `a Host may be empty, the authority of a target may not`() {
        #expect(verdict("GET / HTTP/1.1\r\nHost: \t\r\n\r\n").layout != nil)
        #expect(verdict("GET http:/// HTTP/1.1\r\nHost:\r\n\r\n").refusedStatus == 400)
    }
}
