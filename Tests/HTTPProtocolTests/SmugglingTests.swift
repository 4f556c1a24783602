import HTTPProtocol
import Testing

/// Requests that two parsers in a row could take for different ones (RFC 9112 §11.2).
@Suite struct SmugglingTests {
    struct Attempt: Sendable, CustomTestStringConvertible {
        let fields: String
        let status: Int
        let version: String

        init(_ fields: String, _ status: Int = 400, version: String = "1.1") {
            self.fields = fields
            self.status = status
            self.version = version
        }

        var testDescription: String { fields.debugDescription }
    }

    private static let host = "Host: a\r\n"
    private static let chunked = "Transfer-Encoding: chunked\r\n"

    static let attempts = [
        // Length and chunks together, in either order.
        Attempt(host + "Content-Length: 5\r\n" + chunked),
        Attempt(host + chunked + "Content-Length: 5\r\n"),
        Attempt(host + chunked + "Content-Length: 0\r\n"),
        Attempt(host + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"),
        // Lengths that differ, or are none.
        Attempt(host + "Content-Length: 5\r\nContent-Length: 6\r\n"),
        Attempt(host + "Content-Length: 5, 6\r\n"),
        Attempt(host + "Content-Length: 5,\r\n"),
        Attempt(host + "Content-Length:\r\n"),
        Attempt(host + "Content-Length: +5\r\n"),
        Attempt(host + "Content-Length: -5\r\n"),
        Attempt(host + "Content-Length: 5 5\r\n"),
        Attempt(host + "Content-Length: 0x5\r\n"),
        Attempt(host + "Content-Length: 5.0\r\n"),
        Attempt(host + "Content-Length: 5;6\r\n"),
        Attempt(host + "Content-Length: \"5\"\r\n"),
        Attempt(host + "Content-Length: ٥\r\n"),
        Attempt(host + "Content-Length: 99999999999999999999\r\n" + chunked),
        // Codings that hide chunked, or are not the last.
        Attempt(host + "Transfer-Encoding: chunked, chunked\r\n"),
        Attempt(host + chunked + chunked),
        Attempt(host + "Transfer-Encoding: chunked, gzip\r\n"),
        Attempt(host + chunked + "Transfer-Encoding: identity\r\n"),
        Attempt(host + "Transfer-Encoding:\r\n"),
        Attempt(host + "Transfer-Encoding: ,chunked\r\n"),
        Attempt(host + "Transfer-Encoding: chunked;q=1\r\n"),
        Attempt(host + "Transfer-Encoding: \"chunked\"\r\n"),
        Attempt(host + "Transfer-Encoding: \u{0B}chunked\r\n"),
        Attempt(host + "Transfer-Encoding: chun ked\r\n"),
        Attempt(host + "Transfer-Encoding: xchunked\r\n", 501),
        Attempt(host + "Transfer-Encoding: gzip\r\n", 501),
        Attempt(host + "Transfer-Encoding: identity\r\n", 501),
        Attempt(host + "Transfer-Encoding: gzip, chunked\r\n", 501),
        Attempt(host + "Transfer-Encoding: gzip\r\n" + chunked, 501),
        Attempt(chunked, version: "1.0"),
        // Names that some parsers repair.
        Attempt(host + "Transfer-Encoding : chunked\r\n"),
        Attempt(host + "Transfer-Encoding\t: chunked\r\n"),
        Attempt(host + " Transfer-Encoding: chunked\r\n"),
        Attempt(host + "X: x\r\n Content-Length: 5\r\n"),
        Attempt(host + "X: x\nContent-Length: 5\r\n"),
        Attempt(host + "X: x\rContent-Length: 5\r\n"),
        Attempt(host + "X: x\r\r\nContent-Length: 5\r\n"),
        Attempt(host + "Content-Length\u{0}: 5\r\n"),
        // Hosts.
        Attempt(""),
        Attempt("X: x\r\n"),
        Attempt(host + host),
        Attempt(host + "HOST: b\r\n"),
        Attempt(host + host, version: "1.0"),
        Attempt("Host: a b\r\n"),
        Attempt("Host: a, b\r\n"),
        Attempt("Host: a/b\r\n"),
        Attempt("Host: user@a\r\n"),
        Attempt("Host: a?b\r\n"),
        Attempt("Host: é\r\n"),
    ]

    @Test(arguments: attempts)
    func `an ambiguous request is refused`(attempt: Attempt) {
        let request = "POST / HTTP/\(attempt.version)\r\n\(attempt.fields)\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"
        #expect(verdict(request).refusedStatus == attempt.status)
    }
}
