import Ringcast
import Testing

@Suite struct SetCookieTests {
    @Test func `a cookie is kept from scripts and other sites unless it is said otherwise`() throws {
        let cookie = try #require(SetCookie("session", "abc"))
        #expect(cookie.field.name == .setCookie)
        #expect(cookie.field.value == "session=abc; Path=/; Secure; HttpOnly; SameSite=Lax")
        let other = try #require(
            SetCookie(
                "a", "", path: "/x", domain: "example.org", maxAge: .seconds(60), isSecure: false, isHTTPOnly: false,
                sameSite: .strict))
        #expect(other.field.value == "a=; Path=/x; Domain=example.org; Max-Age=60; SameSite=Strict")
        #expect(SetCookie("a", "", maxAge: .seconds(-1))?.field.value.contains("Max-Age=0;") == true)
    }

    @Test(arguments: [
        ("", "x"), ("a b", "x"), ("a=b", "x"), ("a", "x; Domain=evil.example"), ("a", "x y"), ("a", "x,y"),
        ("a", "\"x\""),
        ("a", "x\r\nSet-Cookie: b=1"), ("a", "ä"), ("a", "x\\y"),
    ])
    func `what would end a cookie cannot be in it`(_ name: String, _ value: String) {
        #expect(SetCookie(name, value) == nil)
    }

    @Test(arguments: ["/; Secure", "/\r\n", "/ä"])
    func `nor can its path or its domain`(_ path: String) {
        #expect(SetCookie("a", "b", path: path) == nil && SetCookie("a", "b", domain: path) == nil)
    }

    @Test func `every reply can set cookies, and what was set comes back`() async throws {
        let handlers = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })
        try await serving(fetch: { request in
            let seen = request.cookie("a") ?? "-"
            let cookies = [SetCookie("a", "1")!, SetCookie("b", "2")!]
            let reply: Reply =
                switch request.path {
                case "/ws": .upgrade(to: handlers, headers: [.setCookie: "own=0"])
                case "/later": .deferred { .response(.ok, seen) }
                default: .response(.ok, seen)
                }
            return cookies.reduce(reply) { $0.setting($1) }
        }) { server in
            let client = try TCPClient(port: server.port)
            for path in ["/", "/later"] {
                let answer = try client.get(path, "Cookie: a=1")
                #expect(answer.text == "1")
                #expect(answer.values("Set-Cookie").map { $0.prefix(3) } == ["a=1", "b=2"])
            }
            let socket = try SocketClient(port: server.port, path: "/ws")
            #expect(socket.answer.values("Set-Cookie").map { $0.split(separator: ";")[0] } == ["own=0", "a=1", "b=2"])
        }
    }
}
