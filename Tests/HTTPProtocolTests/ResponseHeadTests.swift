import HTTPTypes
import Testing

@testable import HTTPProtocol

/// The head of a response, whole and in two pieces cut at every byte.
@Suite struct ResponseHeadTests {
    private func parse(_ text: String, limits: RequestLimits = RequestLimits()) -> ResponseHeadResult {
        let bytes = [UInt8](text.utf8)
        var whole = ResponseHeadParser(limits: limits)
        let verdict = whole.parse(unsafe bytes.span.bytes)
        for cut in 0..<bytes.count {
            var parser = ResponseHeadParser(limits: limits)
            var result = parser.parse(unsafe bytes.span.bytes.extracting(first: cut))
            if result == .incomplete { result = parser.parse(unsafe bytes.span.bytes) }
            #expect(result == verdict, "cut at \(cut) of \(text.debugDescription)")
        }
        var dripping = ResponseHeadParser(limits: limits)
        var result = ResponseHeadResult.incomplete
        for count in 1..<bytes.count + 1 where result == .incomplete {
            result = dripping.parse(unsafe bytes.span.bytes.extracting(first: count))
        }
        #expect(result == verdict, "byte by byte: \(text.debugDescription)")
        return verdict
    }

    @Test func `a head is taken apart`() throws {
        let text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-A:\t b \r\nx-a: c\r\nEmpty:\r\n\r\n"
        guard case .complete(let head) = parse(text + "behind") else { throw Failure() }
        #expect(head.status == 101 && head.reason == "Switching Protocols" && head.isHTTP11)
        #expect(head.fields[.upgrade] == "websocket" && head.fields[values: .init("X-A")!] == ["b", "c"])
        #expect(head.fields[.init("Empty")!] == "" && head.byteCount == text.utf8.count)
    }

    @Test(arguments: [("HTTP/1.1 200", ""), ("HTTP/1.1 200 ", ""), ("HTTP/1.1 200 All is well", "All is well")])
    func `the phrase may be missing`(_ line: String, _ reason: String) throws {
        guard case .complete(let head) = parse(line + "\r\n\r\n") else { throw Failure() }
        #expect(head.status == 200 && head.reason == reason)
    }

    @Test(arguments: [
        "HTTP/2 200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200 O\u{0}K\r\n\r\n",
        "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\nA: b\n\r\n", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.x 200 OK\r\n\r\n",
    ])
    func `what is malformed is refused, however it is cut`(_ text: String) {
        guard case .malformed = parse(text) else {
            Issue.record("accepted: \(text.debugDescription)")
            return
        }
    }

    @Test func `the limits hold, and are the same for every cut`() {
        let limits = RequestLimits(headBytes: 200, fieldCount: 3)
        let fields = String(repeating: "a: b\r\n", count: 3)
        guard case .complete = parse("HTTP/1.1 200 OK\r\n\(fields)\r\n", limits: limits) else {
            Issue.record("three fields are allowed")
            return
        }
        #expect(
            parse("HTTP/1.1 200 OK\r\na: b\r\n\(fields)\r\n", limits: limits) == .malformed("it has too many fields"))
        let long = "HTTP/1.1 200 OK\r\na: " + String(repeating: "x", count: 300)
        #expect(parse(long, limits: limits) == .malformed("its head is too large"))
    }

    @Test func `how the body ends`() throws {
        for (status, field, expected) in [
            (200, "Content-Length: 5", BodyFraming.length(5) as BodyFraming?),
            (200, "Transfer-Encoding: Chunked", .chunked),
            (200, "X: y", nil), (204, "Content-Length: 5", BodyFraming.none), (304, "X: y", BodyFraming.none),
            (200, "Content-Length: -1", nil), (200, "Content-Length: x", nil), (200, "Transfer-Encoding: gzip", nil),
        ] {
            guard case .complete(let head) = parse("HTTP/1.1 \(status) OK\r\n\(field)\r\n\r\n") else { throw Failure() }
            #expect(head.bodyFraming == expected, "\(status) \(field)")
        }
    }

    @Test func `a request that would mean something else on the wire is not written`() {
        for value in ["a\r\nb: c", "a\u{0}"] {
            var output: [UInt8] = [1]
            #expect(throws: UnsendableResponse.self) {
                try RequestEncoder.encodeUpgrade(target: "/", host: value, key: "k", into: &output)
            }
            #expect(output == [1])
        }
    }

    private struct Failure: Error {}
}
