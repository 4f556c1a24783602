import ReactorTesting
import Testing

@testable import Ringcast

/// Requests that two parsers in a row read differently, so that one of them serves what the other never saw (CWE-444).
/// What fields say about a body is in `SmugglingTests`, what is behind a handshake in `UpgradeRefusalTests`.
@Suite(.endingAll) struct SmugglingVulnerabilities {
    struct Chunks: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let wire: String
        let status: Int

        init(_ name: String, _ wire: String, _ status: Int = 400) {
            (testDescription, self.wire, self.status) = (name, wire, status)
        }
    }

    private static let post = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// Behind each the hidden request follows, where a parser that takes the chunks for good would look for one.
    static let extensions = [
        Chunks("CVE-2026-33870, CVE-2026-2332: a quoted string that goes on in the next line", ";a=\"b\r\nX\r\n"),
        Chunks("CVE-2026-33870, CVE-2026-2332: the same behind an escape", ";a=\"b\\\r\nX\r\n"),
        Chunks("CVE-2025-55315, CVE-2025-22871: a line feed alone ends the extension", ";\nX\r\n"),
        Chunks("CVE-2025-58056, CVE-2024-52304: a line feed inside an extension", ";a=b\nc\r\nX\r\n"),
        Chunks("CVE-2026-24880, CVE-2024-53868: a carriage return inside an extension", ";a\rb\r\nX\r\n"),
        Chunks("CVE-2026-24880: an extension without a name", ";\r\nX\r\n"),
        Chunks("CVE-2025-22871: a line feed alone ends the size", "\nX\r\n"),
    ]

    @Test(arguments: extensions)
    func `CVE-2026-33870, CVE-2026-2332, CVE-2025-55315: a chunk extension ends in its line or is refused`(
        _ chunks: Chunks
    ) {
        let attacked = AttackedServer()
        let wire = "1\(chunks.wire)0\r\n\r\n"
        attacked.expectRefused(Self.post + wire + AttackedServer.hidden, with: chunks.status)
    }

    static let ends = [
        Chunks("CVE-2025-43859: other bytes where the end of a chunk's line is", "1\r\nXAB0\r\n\r\n"),
        Chunks("oven-sh/bun#29732: other bytes where the end of the last chunk is", "0\r\nXX"),
        Chunks("oven-sh/bun#26931: a size that is 5 when it is cut to 32 bits", "100000005\r\nhello\r\n0\r\n\r\n", 413),
        Chunks("cpp-httplib 0.43.4: a negative size", "-2\r\nX\r\n0\r\n\r\n"),
        Chunks("CVE-2023-38697: a prefix of hexadecimal numbers", "0x1\r\nX\r\n0\r\n\r\n"),
        Chunks("CVE-2025-58068, CVE-2025-53643: a request in the place of trailers", "0\r\n"),
    ]

    @Test(arguments: ends)
    func `CVE-2025-43859, CVE-2025-58068: chunks have their size and their line ends`(_ chunks: Chunks) {
        AttackedServer().expectRefused(Self.post + chunks.wire + AttackedServer.hidden, with: chunks.status)
    }

    @Test func `CVE-2025-58068, CVE-2026-22815: trailers frame nothing, and are no fields of the request behind`() {
        let attacked = AttackedServer()
        let trailers = "0\r\nContent-Length: \(AttackedServer.hidden.utf8.count)\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
        let answer = attacked.attack(Self.post + trailers + "GET /own HTTP/1.1\r\nHost: t\r\n\r\n").answer
        #expect(answer.split(separator: "HTTP/1.1 200 OK").count == 2)
        #expect(attacked.paths.entries == ["/", "/own"])
    }

    @Test func `CVE-2026-50020: nothing but empty lines is skipped in front of a request`() {
        for byte in Array(0...0x20) + [0x7F] where byte != 0x0D {
            let lead = String(Unicode.Scalar(UInt8(byte)))
            AttackedServer().expectRefused(lead + AttackedServer.hidden, with: 400)
            AttackedServer().expectRefused("\r\n" + lead + AttackedServer.hidden, with: 400)
        }
    }

    @Test(arguments: ["\r\n\rX", "\r\n\r\rX", "\r\n\n", "\n\r\n", "\n\n", "\r\r\n"])
    func `CVE-2025-23167, CVE-2025-6442: a head ends with two whole line ends, and with nothing else`(_ end: String) {
        AttackedServer().expectRefused("POST / HTTP/1.1\r\nHost: t" + end + AttackedServer.hidden, with: 400)
    }

    @Test(arguments: [
        " Content-Length: 1", "X: y\r\n Content-Length: 1", "Content-Length: 1\r\nCONTENT-LENGTH: 2",
        "Content-Length : 1", "Content-Length: 1\r\nTransfer-Encoding: chunked, xchunked",
        "Transfer-Encoding: chunked\r\n , xchunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ])
    func `CVE-2024-27982, CVE-2026-1525, CVE-2026-89044: a body is framed in one way, or refused`(_ fields: String) {
        let request = "POST / HTTP/1.1\r\nHost: t\r\n\(fields)\r\n\r\n0\r\n\r\n"
        AttackedServer().expectRefused(request + AttackedServer.hidden, with: 400)
    }
}
