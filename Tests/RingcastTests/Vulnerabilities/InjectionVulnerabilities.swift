import HTTPTypes
import Reactor
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Line breaks in what an application, or a peer through it, puts into a head or a log (CWE-93, CWE-113, CWE-117).
/// Fields, cookies and subprotocols are in `AttackTests`, `SetCookieTests` and `ClientRedirectTests`.
@Suite(.endingAll) struct InjectionVulnerabilities {
    private static let evil = "x\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK"

    @Test(arguments: ["\r\n", "\n", "\r", "\u{0}"])
    func `CVE-2025-67724: what a reason phrase holds never becomes a line of its own`(_ lineBreak: String) {
        let phrase = Self.evil.replacing("\r\n", with: lineBreak)
        let server = SimulatedServer(fetch: { _ in .response(HTTPResponse.Status(code: 299, reasonPhrase: phrase)) })
        let peer = server.connect()
        peer.send(Array("GET / HTTP/1.1\r\nHost: t\r\n\r\n".utf8))
        server.rest()
        let lines = String(decoding: peer.receivedBytes, as: UTF8.self).split(separator: "\r\n")
        #expect(lines.count { $0.hasPrefix("HTTP/1.1 ") } == 1)
        #expect(!lines.contains { $0.split(whereSeparator: \.isNewline).count > 1 || $0.hasPrefix("X-Evil") })
        #expect(!peer.receivedBytes.contains(0))
    }

    @Test(arguments: ["/redirect", "/cookie", "/upgrade"])
    func `CVE-2025-30221, CVE-2026-43966, CVE-2026-66753: a decoded path in a field is no line of its own`(
        _ path: String
    ) {
        let handlers = WebSocketHandlers<Void>(message: { _, _ in })
        let server = SimulatedServer(fetch: { request in
            let value = request.path
            switch path {
            case "/redirect": return .response(.found, headers: [.location: value])
            case "/cookie":
                return .response(
                    .ok, headers: HTTPFields([HTTPField(name: .setCookie, lenientValue: Array(value.utf8))]))
            default: return .upgrade(to: handlers, headers: [.server: value], subprotocol: value)
            }
        })
        let peer = server.connect()
        let evil = "%0D%0AX-Evil:%201%0A%0D%00%0D%0A%0D%0AHTTP/1.1%20200%20OK"
        peer.send(Array(SocketClient.request(path: path + evil).utf8))
        server.rest()
        let lines = String(decoding: peer.receivedBytes, as: UTF8.self).split { $0.isNewline }
        #expect(lines.count { $0.hasPrefix("HTTP/1.1 ") } == 1 && lines.count { $0.contains("X-Evil") } == 1)
        #expect(!lines.contains { $0.hasPrefix("X-Evil") } && !peer.receivedBytes.contains(0))
    }

    @Test func `CVE-2025-25184, CVE-2025-58189: what was asked for is one line of the log`() {
        let recorder = LogRecorder()
        let handlers = WebSocketHandlers<Void>(open: { ws in ws.logger.info("opened") })
        let server = SimulatedServer(handlers) { $0.logger = recorder.logger() }
        _ = server.open(path: "/a%0Aerror:%20forged%0d%1B%5B2J%E2%80%A8%E2%80%AEb%C2%85%7F/%C3%A9")
        let path = "path=/a%0Aerror: forged%0D%1B[2J%E2%80%A8%E2%80%AEb%C2%85%7F/é "
        #expect(recorder.lines.count { $0.hasPrefix("info: opened ") && $0.contains(path) } == 1, "\(recorder.lines)")
        #expect(!recorder.lines.contains { $0.unicodeScalars.contains { $0.value < 0x20 } })
    }

    @Test func `CVE-2026-42507: what a server says is one line of an error's description`() {
        let forged = "no\nerror: forged\u{1B}[31m\u{2028}"
        let refused = RefusedHandshake(status: .forbidden, body: Array("\u{1B}]0;title\u{7}\nsecond".utf8))
        let errors: [WebSocketClientError] = [
            .closed(CloseCode(rawValue: 4000), reason: forged), .refused(refused), .proxyRefused(refused),
            .badRedirect(forged), .invalidHandshake(forged), .invalidProxyAnswer(forged),
        ]
        for error in errors {
            let hasControls = "\(error)".unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x2028 }
            #expect(!hasControls, "\(error)")
        }
        #expect("\(refused)" == "403 Forbidden: %1B]0;title%07")
    }

    @Test func `CVE-2025-67735, CVE-2026-1527: a URL's target holds nothing that ends a request line`() throws {
        let base = try WebSocketURL("ws://h/a/b")
        for value in Array(0...0x7F) + [0x85, 0xA0, 0x2028, 0x10FFFF] {
            guard let scalar = Unicode.Scalar(UInt32(value)) else { continue }
            let text = "/x\(scalar)HTTP/1.1\(scalar)?y\(scalar)z"
            let urls = [try? WebSocketURL("ws://h\(text)"), base.redirected(to: text)].compactMap(\.self)
            for url in urls { #expect(url.target.utf8.allSatisfy { 0x21...0x7E ~= $0 }, "\(value)") }
            for character in url(scalar) { #expect(0x21...0x7E ~= character, "\(value)") }
        }
    }

    /// Hosts of URLs that are made although they hold the scalar.
    private func url(_ scalar: Unicode.Scalar) -> [UInt8] {
        guard let url = try? WebSocketURL("ws://h\(scalar)i:1/") else { return [] }
        return Array((url.hostField + url.authority).utf8)
    }

    @Test func `CVE-2026-42578: what a proxy is asked holds no line of anybody else's`() throws {
        let credentials = BasicCredentials(username: "ann\r\nEvil: 1", password: "\r\nEvil: 2")
        let proxy = HTTPProxy(hostname: "p\r\nEvil: 3", port: 1, credentials: credentials)
        let text = String(decoding: try proxy.encodedRequest(to: "h:80"), as: UTF8.self)
        let lines = text.components("\r\n")
        #expect(lines.count == 5 && lines[0] == "CONNECT h:80 HTTP/1.1" && lines[1] == "Host: h:80")
        #expect(lines[2].hasPrefix("Proxy-Authorization: Basic ") && lines[3...] == ["", ""])
        #expect(throws: WebSocketClientError.self) { try proxy.encodedRequest(to: "h:80\r\nEvil: 4") }
    }
}

extension String {
    fileprivate func components(_ separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
