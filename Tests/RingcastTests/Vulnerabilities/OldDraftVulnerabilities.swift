import ReactorTesting
import Testing

@testable import Ringcast

/// Versions of the WebSocket protocol before RFC 6455, whose handshakes and lengths have rules of their own.
@Suite(.endingAll) struct OldDraftVulnerabilities {
    @Test(arguments: ["0", "4", "7", "8", "12", "14", "013", "13, 8", "8, 13", "", "13 x", "-13", "1३"])
    func `CVE-2026-59898, CVE-2026-54463, CVE-2026-54466: versions but 13 get a 426 and open nothing`(version: String) {
        let attacked = AttackedServer()
        let request = SocketClient.request().replacing("Version: 13", with: "Version: \(version)")
        let (peer, answer) = attacked.attack(request + AttackedServer.hidden)
        #expect(answer.hasPrefix("HTTP/1.1 426 ") && answer.contains("\r\nSec-WebSocket-Version: 13\r\n"))
        #expect(peer.hasSeenEnd && attacked.paths.entries == ["/"])
        attacked.expectGoesOn()
    }

    /// The drafts that the Hixie numbers name have two keys and eight bytes behind the head, or no key at all.
    @Test(arguments: ["Sec-WebSocket-Key1: 1 8 N\r\nSec-WebSocket-Key2: 2 9 M\r\n", ""])
    func `CVE-2026-54463, CVE-2026-54466: the drafts without a version get a 426 and open nothing`(keys: String) {
        let attacked = AttackedServer()
        let request =
            "GET / HTTP/1.1\r\nHost: t\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nOrigin: http://t\r\n\(keys)\r\n"
        // A frame of those drafts: FF begins a length of 7-bit bytes, which need not end.
        let wire = request + "8 bytes.\u{0}hidden\u{7F}" + AttackedServer.hidden
        let (peer, answer) = attacked.attack(wire)
        #expect(answer.hasPrefix("HTTP/1.1 426 ") && AttackedServer.countAnswers(answer) == 1)
        #expect(peer.hasSeenEnd && attacked.paths.entries == ["/"])
        attacked.expectGoesOn()
    }

    /// The draft's handler looked at the version alone.
    @Test(arguments: ["Upgrade: websocket", "Connection: Upgrade"])
    func `CVE-2026-59898: without its two tokens nothing is a handshake`(field: String) {
        let attacked = AttackedServer()
        let request = SocketClient.request().replacing(field + "\r\n", with: "")
        #expect(attacked.attack(request).answer.hasPrefix("HTTP/1.1 200 "), "an ordinary request")
        #expect(attacked.paths.entries == ["/"])
        attacked.expectGoesOn()
    }

    @Test func `a handshake by HTTP 1 0 is refused`() {
        let attacked = AttackedServer()
        let answer = attacked.attack(SocketClient.request().replacing("HTTP/1.1", with: "HTTP/1.0")).answer
        #expect(answer.hasPrefix("HTTP/1.1 400 ") && attacked.paths.entries == ["/"])
        attacked.expectGoesOn()
    }
}
