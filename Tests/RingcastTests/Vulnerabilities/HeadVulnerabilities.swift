import ReactorTesting
import Testing

@testable import Ringcast

/// Heads that cost more than they may, or mean something else to whoever looks at them next.
@Suite(.endingAll) struct HeadVulnerabilities {
    @Test(arguments: [101, 700])
    func `CVE-2024-37890, CVE-2026-58044, CVE-2026-28980: too many fields are a 431, and the server goes on`(
        count: Int
    ) {
        let own = SocketClient.fields.count
        AttackedServer().expectRefused(SocketClient.request(fields: (own..<count).map { "a\($0): x" }), with: 431)
    }

    @Test(arguments: ["Cookie: a=b", "X: y", "Host2: t", "Sec-WebSocket-Protocol: a"])
    func `CVE-2026-65624, CVE-2025-58186: fields of one name count like others`(field: String) {
        let fields = Array(repeating: field, count: 95)
        let attacked = AttackedServer()
        #expect(attacked.attack(SocketClient.request(fields: fields)).answer.hasPrefix("HTTP/1.1 101"))
        AttackedServer().expectRefused(SocketClient.request(fields: fields + ["X: y"]), with: 431)
    }

    @Test func `CVE-2026-54465: a head without an end is held up to its bound and then refused, in one-byte segments`()
    {
        let attacked = AttackedServer()
        let peer = attacked.server.connect()
        peer.send(Array("GET / HTTP/1.1\r\nHost: t\r\n".utf8))
        var sent = 25
        while peer.receivedBytes.isEmpty, sent < 20_000 {
            peer.send([sent % 100 == 99 ? 0x0D : sent % 100 == 0 ? 0x0A : sent % 100 == 50 ? 0x3A : 0x61])
            attacked.server.rest()
            sent += 1
        }
        #expect(String(decoding: peer.receivedBytes, as: UTF8.self).hasPrefix("HTTP/1.1 431 "))
        #expect(sent <= 101 * 100)
        attacked.expectGoesOn()
    }

    static let hosts = [
        "t:2$", "t t", "t/abc?d=", "t?x", "t#x", "user@t", "evil.example/t", "t@evil.example", "[::1", "::1", "t:80:90",
        "%zz", "t\\x", "[fe80::1%25eth0]",
    ]

    @Test(arguments: hosts)
    func `CVE-2025-12543, CVE-2026-61666, CVE-2026-34835, CVE-2026-48710: a Host is a host, or a 400`(host: String) {
        let request = SocketClient.request().replacing("Host: test", with: "Host: \(host)")
        AttackedServer().expectRefused(request, with: 400)
    }

    @Test func `CVE-2026-34525: two Hosts are a 400, also equal ones`() {
        AttackedServer().expectRefused(SocketClient.request(fields: ["Host: test"]), with: 400)
    }

    @Test(arguments: ["X-Forwarded_For", "X_Forwarded_For", "HTTP_X_FORWARDED_FOR", "XForwardedFor"])
    func `CVE-2024-45614, CVE-2025-64484: a name of a field is no other one's spelling`(name: String) {
        let server = SimulatedServer(fetch: { request in
            .response(.ok, request.header(.xForwardedFor) ?? "nobody")
        })
        for (name, said) in [(name, "nobody"), ("x-forwarded-FOR", "1.2.3.4")] {
            let peer = server.connect()
            peer.send(Array("GET / HTTP/1.1\r\nHost: t\r\n\(name): 1.2.3.4\r\n\r\n".utf8))
            server.rest()
            #expect(String(decoding: peer.receivedBytes, as: UTF8.self).hasSuffix("\r\n\r\n\(said)"))
        }
    }

    @Test(arguments: [
        ("GET /\r\n", 400), ("HEAD /\r\n\r\n", 400), ("HEAD / HTTP/0.9\r\nHost: t\r\n\r\n", 505),
        ("GET / HTTP/1.2\r\nHost: t\r\n\r\n", 505), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        ("PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ])
    func `CVE-2026-24733: other versions of HTTP are refused, whatever the method`(_ request: String, _ status: Int) {
        AttackedServer().expectRefused(request + AttackedServer.hidden, with: status)
    }

    /// A limit that is set and does not reach its parser is none.
    @Test func `CVE-2026-44545, CVE-2026-54283, CVE-2026-42587: every limit that is set is the one that holds`() {
        func server(_ limits: ServerLimits) -> AttackedServer { AttackedServer { $0.limits = limits } }
        func request(_ fields: String, _ body: String = "", target: String = "/") -> String {
            "POST \(target) HTTP/1.1\r\nHost: t\r\n\(fields)\r\n\r\n\(body)"
        }
        let chunked = "Transfer-Encoding: chunked"
        server(.init(headBytes: 200)).expectRefused(request("X: " + String(repeating: "x", count: 200)), with: 431)
        let six = (1...6).map { "A\($0): a" }.joined(separator: "\r\n")
        server(.init(headerFields: 6)).expectRefused(request(six), with: 431)
        server(.init(targetBytes: 20)).expectRefused(request("A: a", target: "/20-bytes-and-one-more"), with: 414)
        server(.init(bodyBytes: 10)).expectRefused(request("Content-Length: 11"), with: 413)
        server(.init(bodyBytes: 10)).expectRefused(request(chunked, "8\r\n12345678\r\n3\r\nabc\r\n"), with: 413)
        let whole = server(.init(bodyBytes: 10)).attack(request(chunked, "8\r\n12345678\r\n2\r\nab\r\n0\r\n\r\n"))
        #expect(whole.answer.hasSuffix("12345678ab"))
    }
}
