import HTTPProtocol
import HTTPTypes
import Testing

/// Valid requests, damaged at random from a fixed seed.
@Suite struct HTTPFuzzTests {
    private static let heads = [
        "GET /chat?room=a+b&x=%41 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nExpect: 100-continue\r\nCookie: a=1; b=\"2\"\r\n\r\n",
        "POST http://b:80/x?y HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3, 3\r\n\r\n",
        "\r\nPUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: [::1]:3000\r\nX: \t\r\n\r\n",
    ]
    private static let bodies = [
        "5\r\nhello\r\n0\r\n\r\n", "A;ext=\"v\"\r\n0123456789\r\n1 ;x\r\n!\r\n00\r\nTrailer: t\r\nB:\r\n\r\n",
        "7fffffff\r\nx", "3\r\nabc\r\n3\r\ndef\r\nffffffffffffffff\r\n",
    ]
    private static let spice = Array("\r\n\t :;,%+&=?*/\"0aF\u{0}\u{7F}".utf8) + [0x80, 0xFF]

    private func damaged(_ text: String, by random: inout SplitMix64) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            let end = min(place + Int.random(in: 0...6, using: &random), bytes.count)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.insert(Self.spice.randomElement(using: &random)!, at: place)
            case 1: bytes.removeSubrange(place..<end)
            case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
            default: if place < bytes.count { bytes[place] = Self.spice.randomElement(using: &random)! }
            }
        }
        return bytes
    }

    private func cuts(_ count: Int, by random: inout SplitMix64) -> [Int] {
        (0..<3).map { _ in Int.random(in: 0...count, using: &random) }.sorted() + [count]
    }

    @Test func `a damaged head gives the same verdict however it is split`() {
        var random = SplitMix64(state: 0x52_69_6E_67)
        var completeCount = 0
        for round in 0..<20_000 {
            let bytes = damaged(Self.heads[round % Self.heads.count], by: &random)
            let limits = RequestLimits(headBytes: 200, fieldCount: 5, targetBytes: 40, bodyBytes: 1000)
            let whole = parse(bytes, arriving: [bytes.count], limits: limits)
            let pieces = parse(bytes, arriving: cuts(bytes.count, by: &random), limits: limits)
            let single = parse(bytes, arriving: Array(0...bytes.count), limits: limits)
            #expect(pieces == whole && single == whole, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
            guard let layout = whole.layout else { continue }
            completeCount += 1
            expectSound(bytes, layout)
        }
        #expect(completeCount > 1000, "most damage must not hide what lies behind the parser")
    }

    /// What holds of every accepted head: each line ends with both characters, and all lookups agree with a copy.
    private func expectSound(_ bytes: [UInt8], _ layout: RequestHeadLayout) {
        for offset in 0..<layout.byteCount where bytes[offset] == 0x0D || bytes[offset] == 0x0A {
            #expect(bytes[offset] == 0x0D ? bytes[offset + 1] == 0x0A : bytes[offset - 1] == 0x0D)
        }
        let head = RequestHead(bytes: bytes.rawSpan, layout: layout)
        let fields = head.fields
        #expect(fields.count <= 5)
        for field in fields {
            #expect(head.headers(field.name) == fields[values: field.name])
        }
        _ = (head.method, head.target, head.path, head.authority, head.query("room"), head.cookie("b"))
    }

    @Test func `a damaged chunked body gives the same outcome however it is split`() {
        var random = SplitMix64(state: 0x63_61_73_74)
        for round in 0..<20_000 {
            let bytes = damaged(Self.bodies[round % Self.bodies.count], by: &random)
            let limit = round % 3 == 0 ? Int.max : 20
            let whole = decode(bytes, arriving: [bytes.count], framing: .chunked, limit: limit)
            let ends = cuts(bytes.count, by: &random)
            let pieces = decode(bytes, arriving: ends, framing: .chunked, limit: limit)
            let single = decode(bytes, arriving: Array(0...bytes.count), framing: .chunked, limit: limit)
            #expect(pieces == whole && single == whole, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
            #expect(whole.data.count <= limit)
        }
    }
}

/// A small generator with a fixed sequence, so that a failure can be repeated.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
