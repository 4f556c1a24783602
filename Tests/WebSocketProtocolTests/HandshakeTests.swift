import Testing

@testable import WebSocketProtocol

@Suite struct HandshakeTests {
    @Test func `a client takes no answer to another key`() throws {
        let handshake = ClientHandshake()
        var answer = HandshakeResponse(
            upgrade: "websocket", connection: "Upgrade", accept: Handshake.acceptValue(forKey: handshake.key))
        _ = try handshake.check(answer)
        answer.accept = Handshake.acceptValue(forKey: ClientHandshake().key)
        #expect(throws: HandshakeViolation.acceptValue) { try handshake.check(answer) }
    }

    private let request = HandshakeRequest(
        method: "GET", host: "example.com", upgrade: "websocket", connection: "Upgrade",
        key: "dGhlIHNhbXBsZSBub25jZQ==", version: "13")

    @Test func `the example of RFC 6455 1-3 is accepted`() throws {
        let acceptance = try Handshake.accept(request)
        #expect(acceptance == HandshakeAcceptance(acceptValue: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    }

    @Test func `tokens are found in lists and in any case`() throws {
        var request = request
        request.upgrade = "h2c, WebSocket"
        request.connection = "keep-alive ,\tupgrade"
        _ = try Handshake.accept(request)
        #expect(Handshake.isUpgrade(request))
    }

    @Test func `another method gets 405 with Allow`() {
        let refusal = refusal { $0.method = "POST" }
        #expect(refusal?.status == 405)
        #expect(refusal.map(headers) == ["Allow: GET"])
    }

    @Test func `another version gets 426 with the version that would do`() {
        for version in ["8", "14", "", nil] {
            let refusal = refusal { $0.version = version }
            #expect(refusal?.status == 426)
            #expect(
                refusal.map(headers) == ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"])
        }
    }

    @Test(arguments: [nil, "", "websockets", "h2c"])
    func `what asks for no WebSocket gets 426, which says what to ask for`(_ upgrade: String?) {
        let refusal = refusal { $0.upgrade = upgrade }
        #expect(refusal?.status == 426)
        #expect(refusal?.headers.contains { $0 == ("Upgrade", "websocket") } == true)
        #expect(refusal?.headers.contains { $0 == ("Connection", "Upgrade") } == true)
    }

    @Test func `what is not in order gets 400`() {
        #expect(refusal { $0.isHTTP11 = false }?.status == 400)
        #expect(refusal { $0.hasBody = true }?.status == 400)
        for connection in [nil, "", "keep-alive", "upgraded"] {
            #expect(refusal { $0.connection = connection }?.status == 400)
        }
    }

    @Test(arguments: [
        nil, "", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZTE=",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25!ZQ==", "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==", "é dGhlIHNhbXBsZSBub25jZQ",
    ])
    func `a key that is not 16 bytes in base64 gets 400`(key: String?) {
        #expect(refusal { $0.key = key }?.status == 400)
    }

    @Test func `an origin that is not allowed gets 403`() {
        #expect(refusal { $0.origin = "https://evil.example" }?.status == 403)
        #expect(refusal { $0.origin = "https://example.com" } == nil)
    }

    @Test func `the server's favourite among the offered subprotocols is chosen`() throws {
        var request = request
        request.subprotocols = ["chat, superchat", "v2"]
        let accept = { try Handshake.accept(request, subprotocols: $0).subprotocol }
        #expect(try accept(["v2", "chat"]) == "v2")
        #expect(try accept(["superchat"]) == "superchat")
        #expect(try accept(["Chat", "other"]) == nil)
        #expect(try accept([]) == nil)
    }

    @Test func `a request without the two tokens is not an upgrade`() {
        #expect(!Handshake.isUpgrade(HandshakeRequest(method: "GET")))
        #expect(!Handshake.isUpgrade(upgrade: "websocket", connection: nil))
        #expect(!Handshake.isUpgrade(upgrade: nil, connection: "upgrade"))
    }

    private func refusal(_ change: (inout HandshakeRequest) -> Void) -> HandshakeRefusal? {
        var request = request
        change(&request)
        do throws(HandshakeRefusal) {
            _ = try Handshake.accept(request)
            return nil
        } catch {
            return error
        }
    }

    private func headers(_ refusal: HandshakeRefusal) -> [String] {
        refusal.headers.map { "\($0.name): \($0.value)" }
    }
}

@Suite struct OriginPolicyTests {
    @Test(arguments: [
        ("https://example.com", "example.com", true), ("http://example.com", "example.com", true),
        ("https://EXAMPLE.com", "example.COM", true), ("https://example.com", "example.com:443", true),
        ("http://example.com:80", "example.com", true), ("http://localhost:3000", "localhost:3000", true),
        ("http://[::1]:3000", "[::1]:3000", true), ("http://[::1]", "[::1]:80", true),
        ("http://localhost:3000", "localhost:3001", false), ("http://localhost:3000", "localhost", false),
        ("https://example.com:8443", "example.com", false), ("https://evil.com", "example.com", false),
        ("https://example.com.evil.com", "example.com", false), ("https://evilexample.com", "example.com", false),
        ("null", "example.com", false), ("null", "null", false), ("", "", false), ("https://", "", false),
        ("example.com", "example.com", false), ("://example.com", "example.com", false),
        ("https://user@example.com", "example.com", false), ("https://example.com/path", "example.com", false),
    ])
    func `same origin means host and port`(origin: String, host: String, permitted: Bool) {
        #expect(OriginPolicy.sameOrigin.permits(origin: origin, host: host) == permitted)
    }

    @Test func `same origin needs a host`() {
        #expect(!OriginPolicy.sameOrigin.permits(origin: "https://example.com", host: nil))
    }

    @Test func `a request without origin passes every policy`() {
        for policy in [OriginPolicy.sameOrigin, .allow([]), .any] { #expect(policy.permits(origin: nil, host: "a")) }
    }

    @Test func `a list allows what is on it`() {
        let policy = OriginPolicy.allow(["https://example.com", "http://localhost:8080"])
        #expect(policy.permits(origin: "https://Example.com", host: "elsewhere"))
        #expect(policy.permits(origin: "http://localhost:8080", host: nil))
        #expect(!policy.permits(origin: "http://example.com", host: "example.com"))
        #expect(!policy.permits(origin: "null", host: "example.com"))
    }

    @Test func `any origin passes where all are allowed`() {
        #expect(OriginPolicy.any.permits(origin: "null", host: nil))
    }
}
