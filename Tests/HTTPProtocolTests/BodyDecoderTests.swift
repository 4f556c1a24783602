import HTTPProtocol
import HTTPTypes
import Testing

/// All that came of decoding a body.
struct BodyOutcome: Equatable {
    var data: [UInt8] = []
    /// Bytes consumed when the end was found; nil when it was not.
    var consumed: Int?
    var refusedStatus: Int?

    var text: String { String(decoding: data, as: UTF8.self) }
}

/// Decodes `bytes` arriving in pieces that end at `ends`.
func decode(_ bytes: [UInt8], arriving ends: [Int], framing: BodyFraming, limit: Int) -> BodyOutcome {
    var decoder = BodyDecoder(framing: framing, limit: limit)
    var outcome = BodyOutcome()
    var start = 0
    for end in ends {
        let piece = Array(bytes[start..<end])
        var position = 0
        while let event = decoder.next(in: piece.rawSpan, at: &position) {
            switch event {
            case .data(let range):
                #expect(!range.isEmpty && range.upperBound == position)
                outcome.data += piece[range]
            case .end:
                outcome.consumed = start + position
                return outcome
            case .refused(let refusal):
                outcome.refusedStatus = refusal.status.code
                return outcome
            }
        }
        #expect(position == piece.count)
        start = end
    }
    return outcome
}

/// Decodes `text`, and checks that the outcome is the same however it is split.
func decoded(_ text: String, framing: BodyFraming = .chunked, limit: Int = 1 << 20) -> BodyOutcome {
    let bytes = Array(text.utf8)
    let whole = decode(bytes, arriving: [bytes.count], framing: framing, limit: limit)
    for split in bytes.indices {
        let outcome = decode(bytes, arriving: [split, bytes.count], framing: framing, limit: limit)
        #expect(outcome == whole, "split at \(split)")
    }
    #expect(decode(bytes, arriving: Array(0...bytes.count), framing: framing, limit: limit) == whole, "byte by byte")
    return whole
}

@Suite struct BodyDecoderTests {
    @Test func `a request without a body ends at once`() {
        #expect(decoded("GET /", framing: .none) == BodyOutcome(consumed: 0))
    }

    @Test func `a length is counted off`() {
        #expect(decoded("hello and more", framing: .length(5)) == BodyOutcome(data: Array("hello".utf8), consumed: 5))
        #expect(decoded("hell", framing: .length(5)) == BodyOutcome(data: Array("hell".utf8)))
    }

    @Test func `a length over the limit is refused`() {
        #expect(decoded("hello", framing: .length(5), limit: 5).consumed == 5)
        #expect(decoded("hello", framing: .length(5), limit: 4).refusedStatus == 413)
    }

    @Test func `the end and a refusal are given again`() {
        let nothing: [UInt8] = [0x78]
        var position = 0
        var ended = BodyDecoder(framing: .none, limit: 0)
        var refused = BodyDecoder(framing: .length(1), limit: 0)
        for _ in 0..<3 {
            #expect(ended.next(in: nothing.rawSpan, at: &position) == .end)
            guard case .refused = refused.next(in: nothing.rawSpan, at: &position) else {
                Issue.record("not refused")
                return
            }
        }
        #expect(position == 0)
    }

    @Test func `chunks are put together`() {
        let wire = "5\r\nhello\r\n00006\r\n world\r\na\r\n0123456789\r\n0\r\n\r\n"
        let outcome = decoded(wire + "GET")
        #expect(outcome.text == "hello world0123456789")
        #expect(outcome.consumed == wire.utf8.count)
    }

    @Test func `an empty body is one last chunk`() {
        #expect(decoded("0\r\n\r\n").consumed == 5)
        #expect(decoded("000\r\n\r\n").consumed == 7)
    }

    @Test func `extensions are skipped`() {
        let wire =
            "5;name=value;q=\"a;b\"\r\nhello\r\n1 \t;x\r\n!\r\n"
            + "1; a = b ;c = \"\\\"\t\\\\\"\t;d=\"\"\r\n?\r\n0;last\r\n\r\n"
        let outcome = decoded(wire)
        #expect(outcome.text == "hello!?")
        #expect(outcome.consumed == wire.utf8.count)
    }

    @Test func `trailers are skipped`() {
        let wire = "1\r\nx\r\n0\r\nDigest: abc\r\nX-Empty:\r\n\r\n"
        #expect(decoded(wire + "GET").consumed == wire.utf8.count)
    }

    @Test(arguments: [
        "\r\n", ";x\r\n", " 5\r\nhello\r\n", "+5\r\nhello\r\n", "-1\r\n", "0x5\r\nhello\r\n", "g\r\n",
        "5 \r\nhello\r\n",
        "5 5\r\n", "5\nhello\r\n", "5\rhello", "5\r\nhelloX", "5\r\nhello\n", "5\r\nhello\rX", "5;a\nb\r\n",
        "5;\u{0}\r\n", "00000000000000001\r\nx\r\n", "0\r\n\n", "0\r\n\rX", "0\r\n X: y\r\n\r\n", "0\r\nX y: z\r\n\r\n",
        "0\r\nX\r\n\r\n", "0\r\n: x\r\n\r\n", "0\r\nX: y\nZ: w\r\n\r\n", "0\r\nX: y\rZ\r\n\r\n", "0\r\nX : y\r\n\r\n",
        "0\r\nGET / HTTP/1.1\r\n\r\n",
    ])
    func `malformed chunks are refused with 400`(wire: String) {
        #expect(decoded(wire).refusedStatus == 400)
    }

    @Test func `chunks over the limit are refused with 413 before their bytes come`() {
        #expect(decoded("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", limit: 10).text == "helloworld")
        let outcome = decoded("5\r\nhello\r\n6", limit: 10)
        #expect(outcome.refusedStatus == 413)
        #expect(outcome.text == "hello")
    }

    /// RFC 9112 §7.1.1: names and values are tokens, or quoted and ended in their line.
    @Test(arguments: [
        ";", "; ", ";;a", ";a;", ";a=", ";a=;b", ";=b", ";a ", ";a=b ", ";a b", ";a=b c", ";a=\"b", ";a=\"b\\\"",
        ";a=\"b\"c", ";a=b\"c\"", ";\"a\"", ";a=\"\u{7F}\"", ";a=\"\\\u{1}\"", ";é", ";a=é", ";a,b", "; a = b =c",
    ])
    func `a chunk extension that breaks the grammar is refused with 400`(chunkExtension: String) {
        #expect(decoded("1\(chunkExtension)\r\nx\r\n0\r\n\r\n").refusedStatus == 400)
    }

    @Test(arguments: [
        "7fffffffffffffff", "8000000000000000", "ffffffffffffffff", "FFFFFFFFFFFFFFFFF", "10000000000000000",
    ])
    func `a chunk size that overflows is refused with 413`(size: String) {
        #expect(decoded("\(size)\r\n").refusedStatus == 413)
        #expect(decoded("1\r\nx\r\n\(size)\r\n", limit: .max).refusedStatus == 413)
    }

    @Test func `the largest chunk size does not overflow the largest limit`() {
        #expect(decoded("7fffffffffffffff\r\nx", limit: .max).text == "x")
    }

    @Test func `endless extensions and trailers are refused with 431`() {
        let long = Array("1;".utf8) + [UInt8](repeating: 0x78, count: 17_000)
        let trailers = Array("0\r\n".utf8) + Array(repeating: Array("A: b\r\n".utf8), count: 10_000).joined()
        for wire in [long, trailers] {
            let whole = decode(wire, arriving: [wire.count], framing: .chunked, limit: 100)
            #expect(whole.refusedStatus == 431)
            #expect(decode(wire, arriving: Array(0...wire.count), framing: .chunked, limit: 100) == whole)
        }
    }
}
