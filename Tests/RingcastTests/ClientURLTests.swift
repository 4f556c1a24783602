import Testing

@testable import Ringcast

@Suite struct ClientURLTests {
    @Test(arguments: [
        ("ws://example.com", "example.com", 80, "/", false, "example.com"),
        ("wss://Example.COM/chat?a=b", "example.com", 443, "/chat?a=b", true, "example.com"),
        ("ws://example.com:8080?x", "example.com", 8080, "/?x", false, "example.com:8080"),
        ("wss://example.com:80/", "example.com", 80, "/", true, "example.com:80"),
        ("http://10.0.0.1:80/a", "10.0.0.1", 80, "/a", false, "10.0.0.1"),
        ("WS://[2001:DB8::1]:99/x", "2001:db8::1", 99, "/x", false, "[2001:db8::1]:99"),
        ("ws://[::1]/", "::1", 80, "/", false, "[::1]"),
        ("ws://u:p%40@h/é b\"<>", "h", 80, "/%C3%A9%20b%22%3C%3E", false, "h"),
        ("ws://h/%41%zz|~", "h", 80, "/%41%zz|~", false, "h"),
        ("ws://[fe80::1%25Eth0]:99/", "fe80::1%Eth0", 99, "/", false, "[fe80::1]:99"),
        ("wss://[FE80::1%eth0]", "fe80::1%eth0", 443, "/", true, "[fe80::1]"),
        ("ws://h:/@a:b", "h", 80, "/@a:b", false, "h"),
        ("ws://xn--bcher-kva.example/", "xn--bcher-kva.example", 80, "/", false, "xn--bcher-kva.example"),
    ])
    func `a URL is taken apart`(
        _ text: String, _ host: String, _ port: Int, _ target: String, _ isSecure: Bool, _ field: String
    ) throws {
        let url = try WebSocketURL(text)
        #expect(url.hostname == host && url.port == port && url.target == target && url.isSecure == isSecure)
        #expect(url.hostField == field && url.unixPath == nil)
        #expect(try WebSocketURL(url.description).target == target)
    }

    @Test(arguments: [
        ("ws+unix:/run/a.sock:/chat?x=1", "/run/a.sock", "/chat?x=1"), ("ws+unix:///run/a.sock", "/run/a.sock", "/"),
        ("ws+unix:@name:/x", "@name", "/x"),
    ])
    func `a Unix socket is named by its path`(_ text: String, _ path: String, _ target: String) throws {
        let url = try WebSocketURL(text)
        #expect(url.unixPath == path && url.target == target && url.hostField == "localhost")
        #expect(try WebSocketURL(url.description) == url)
    }

    @Test(arguments: [
        "", "example.com", "ftp://h/", "ws:/h", "ws://", "ws:///x", "ws://h:0/", "ws://h:65536", "ws://h:8x",
        "ws://h:-1",
        "ws://h/#a", "ws://[::1", "ws://[]/", "ws://[nonsense]/", "ws://[::1]x/", "ws://é.com", "ws://a b/",
        "ws://h\r\n/",
        "ws://h/\u{0}", "ws+unix:relative:/x", "ws+unix:/", "ws+unix:@", "ws://a%2Fb/", "://h", "ws://:80/",
        "ws://[1:2]/", "ws://[::1%]/", "ws://[::1%25]/", "ws://[::1%a/b]/", "ws://good\\@evil/",
        "ws://bücher.example/",
    ])
    func `what is no WebSocket URL is refused`(_ text: String) {
        #expect { _ = try WebSocketURL(text) } throws: { error in
            (error as? WebSocketClientError)?.code == .invalidURL
        }
    }

    @Test(arguments: [
        ("ws://other/x", "ws://other/x"), ("http://other:90", "ws://other:90/"), ("//other/y", "ws://other/y"),
        ("/root?q", "ws://h:1/root?q"), ("z", "ws://h:1/a/z"), ("../z", "ws://h:1/z"), ("../../../z", "ws://h:1/z"),
        ("./", "ws://h:1/a/"), ("..", "ws://h:1/"), ("?only", "ws://h:1/a/b?only"), ("", "ws://h:1/a/b?c"),
        ("/x#fragment", "ws://h:1/x"), ("wss://other/", "wss://other/"), ("x:1/y", nil), ("ftp://other/", nil),
        ("ws+unix:/run/docker.sock:/", nil),
    ])
    func `a redirect leads on from where it came`(_ location: String, _ expected: String?) throws {
        let url = try WebSocketURL("ws://h:1/a/b?c")
        #expect(url.redirected(to: location)?.description == expected)
    }

    @Test func `a user and a password stay with their server, and are none when they are empty`() throws {
        let url = try WebSocketURL("ws://ann:p%40@h:1/a")
        #expect(url.userInfo == "ann:p%40" && !url.description.contains("ann"))
        #expect(url.redirected(to: "b")?.userInfo == "ann:p%40")
        #expect(url.redirected(to: "ws://H:1/b")?.userInfo == "ann:p%40")
        #expect(url.redirected(to: "ws://bob@h:1/b")?.userInfo == "bob")
        for other in ["ws://h:2/b", "//other:1/b", "wss://h:1/b"] {
            #expect(url.redirected(to: other)?.userInfo == nil)
        }
        for empty in ["ws://@h/", "ws://:@h/"] { #expect(try WebSocketURL(empty).userInfo == nil) }
    }

    @Test func `a redirect never leaves encryption`() throws {
        let url = try WebSocketURL("wss://h/a")
        #expect(url.redirected(to: "ws://h/a") == nil && url.redirected(to: "http://h/a") == nil)
        #expect(url.redirected(to: "//h/b")?.isSecure == true)
    }

    @Test func `a proxy is a host, a port and credentials`() throws {
        let proxy = try HTTPProxy("http://ann:p%3Aw@proxy:3128/")
        #expect(proxy == HTTPProxy(hostname: "proxy", port: 3128, credentials: .init(username: "ann", password: "p:w")))
        #expect(proxy.credentials?.fieldValue == "Basic YW5uOnA6dw==")
        #expect(try HTTPProxy("http://proxy").port == 80)
        #expect(throws: WebSocketClientError.self) { try HTTPProxy("socks5://proxy") }
    }

    @Test(arguments: [
        "ws+unix:////a:/b", "ws+unix:///a:/b", "ws+unix:@//a:", "ws://[fe80::1%2525x]/", "ws://[fe80::1%2x]:1/",
    ])
    func `a description leads to the same place`(_ text: String) throws {
        let url = try WebSocketURL(text)
        #expect(try WebSocketURL(url.description) == url)
    }

    @Test func `a fragment is seen in front of a character that combines with its mark`() throws {
        #expect(throws: WebSocketClientError.self) { try WebSocketURL("ws://h/a#\u{301}") }
        #expect(try WebSocketURL("ws://h/a").redirected(to: "b#\u{301}c")?.target == "/b")
    }
}
