import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Pages of other sites that open sockets with the cookies of this one (CWE-1385). What an origin may look like is in
/// `OriginPolicyTests` and `RequestAttacks`.
@Suite(.endingAll) struct OriginVulnerabilities {
    private static let origin = "Origin: http://evil.example"

    @Test(arguments: [
        "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example", "X-Forwarded-Server: evil.example",
        "X-Host: evil.example", "X-Original-Host: evil.example", "Referer: http://test/", "Sec-Fetch-Site: same-origin",
        "Sec-WebSocket-Origin: http://test",
    ])
    func `CVE-2026-44514, CVE-2026-34403: an origin is compared with the Host, and with nothing else`(field: String) {
        let attacked = AttackedServer { $0.trustedProxies = ["0.0.0.0/0"] }
        let answer = attacked.attack(SocketClient.request(fields: [Self.origin, field])).answer
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && !attacked.paths.entries.contains("open"))
        attacked.expectGoesOn()
    }

    /// A name of the attacker's that leads to this server: origin and host are equal, and neither is its own.
    @Test func `CWE-350: behind a name that was made to lead here a list of origins lets nobody in`() {
        let request = SocketClient.request(fields: [Self.origin]).replacing("Host: test", with: "Host: evil.example")
        #expect(AttackedServer().attack(request).answer.hasPrefix("HTTP/1.1 101 "), "the default compares, as it says")
        let attacked = AttackedServer { $0.originPolicy = .allow(["http://test"]) }
        #expect(attacked.attack(request).answer.hasPrefix("HTTP/1.1 403 "))
        #expect(!attacked.paths.entries.contains("open"))
    }

    @Test(arguments: ["http://test.evil.example", "http://eviltest", "http://test:81", "https://test", "null", "", "*"])
    func `CVE-2026-34403, CVE-2025-47910: a list is of whole origins, without prefixes and suffixes`(origin: String) {
        let attacked = AttackedServer { $0.originPolicy = .allow(["http://test", "http://other:8080"]) }
        let answer = attacked.attack(SocketClient.request(fields: ["Origin: \(origin)"])).answer
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && !attacked.paths.entries.contains("open"))
        #expect(attacked.attack(SocketClient.request(fields: ["Origin: http://TEST"])).answer.contains(" 101 "))
    }
}
