import HTTP2Protocol
import HTTP2Testing
import Testing

/// The attacks on HTTP/2 that have names, each against its bound.
@Suite struct FloodTests {
    /// How the connection has ended, as the server knows it and as the client is told.
    private func end(of server: Server) -> [HTTP2ErrorCode?] {
        let told = server.takeSent().of(.goAway).last?.code
        return [server.connection.failure?.code, told]
    }

    private let calm: [HTTP2ErrorCode?] = [.enhanceYourCalm, .enhanceYourCalm]

    @Test(arguments: [1, 13, 4_096])
    func `rapid reset (CVE-2023-44487)`(_ piece: Int) {
        let server = Server.greeted(HTTP2Limits(resets: 50))
        for number in 0..<50 as Range<UInt32> {
            let stream = 2 * number + 1
            server.receive(Frames.request(stream) + Frames.frame(.reset, stream: stream, Frames.word(8)), piece: piece)
        }
        #expect(server.connection.failure == nil && server.connection.streamCount == 0)
        let more = (50..<90 as Range<UInt32>).flatMap { number in
            Frames.request(2 * number + 1) + Frames.frame(.reset, stream: 2 * number + 1, Frames.word(8))
        }
        server.receive(more, piece: piece)
        #expect(end(of: server) == calm)
        let begun = server.happenings.count { if case .request = $0 { true } else { false } }
        #expect(begun == 51, "the stream whose reset was too many is the last")
    }

    @Test func `MadeYouReset (CVE-2025-8671): streams that the server is brought to reset`() {
        let server = Server.greeted(HTTP2Limits(resets: 50))
        for number in 0..<100 as Range<UInt32> {
            let stream = 2 * number + 1
            server.receive(Frames.request(stream) + Frames.windowUpdate(stream, 0x7FFF_FFFF))
            server.send()
            if number < 50 { #expect(server.connection.failure == nil) }
        }
        #expect(end(of: server) == calm)
        #expect(server.heads.count == 51)
    }

    @Test func `what this side resets is not the client's fault`() {
        let server = Server.greeted(HTTP2Limits(resets: 3))
        for number in 0..<20 as Range<UInt32> {
            server.receive(Frames.request(2 * number + 1))
            server.connection.reset(HTTP2StreamID(2 * number + 1), .internalError)
            server.send()
        }
        #expect(server.connection.failure == nil && server.connection.streamCount == 0)
    }

    @Test func `resets are counted over ten seconds`() {
        let server = Server.greeted(HTTP2Limits(resets: 3))
        for number in 0..<30 as Range<UInt32> {
            let stream = 2 * number + 1
            server.receive(Frames.request(stream) + Frames.frame(.reset, stream: stream, Frames.word(8)))
            server.now += 5_000
        }
        #expect(server.connection.failure == nil)
    }

    @Test(arguments: [1, 11, 4_096])
    func `continuation flood (CVE-2024-27316)`(_ piece: Int) {
        let server = Server.greeted()
        server.receive(Frames.frame(.headers, flags: 1, stream: 1, Frames.block(Frames.get)), piece: piece)
        let line = Frames.block([("a", "b")])
        for _ in 0..<8 { server.receive(Frames.frame(.continuation, stream: 1, line), piece: piece) }
        #expect(server.connection.failure == nil && server.happenings == [])
        for _ in 0..<1_000 { server.receive(Frames.frame(.continuation, stream: 1, line), piece: piece) }
        #expect(server.happenings == [.failed(.enhanceYourCalm)])
        #expect(end(of: server) == calm)
    }

    @Test func `a header list may take as many continuations as are allowed, each time`() {
        let server = Server.greeted(HTTP2Limits(continuations: 2))
        for stream in [1, 3, 5, 7] as [UInt32] {
            server.receive(Frames.frame(.headers, flags: 1, stream: stream, Frames.block(Frames.get)))
            server.receive(Frames.frame(.continuation, stream: stream, Frames.block([("a", "b")])))
            server.receive(Frames.frame(.continuation, flags: 4, stream: stream))
        }
        #expect(server.connection.failure == nil && server.heads.count == 4)
    }

    @Test(arguments: [
        ("settings flood (CVE-2019-9515)", Frames.frame(.settings)),
        ("ping flood (CVE-2019-9512)", Frames.frame(.ping, [1, 2, 3, 4, 5, 6, 7, 8])),
        ("priority flood (CVE-2019-9513)", Frames.frame(.priority, stream: 5, Frames.word(0) + [16])),
        ("empty frames flood (CVE-2019-9518)", Frames.data(1, "")),
        ("unknown frames", Frames.frame(.unknown, stream: 1)),
    ])
    func `floods of frames that ask for nothing`(_ name: String, _ frame: [UInt8]) {
        let server = Server.greeted(HTTP2Limits(controlFrames: 100))
        server.receive(Frames.request(1, Frames.post, hasBody: true))
        for _ in 0..<100 {
            server.receive(frame)
            server.send()
        }
        #expect(server.connection.failure == nil, "\(name)")
        server.now += 10_000
        for _ in 0..<100 {
            server.receive(frame)
            server.send()
        }
        #expect(server.connection.failure == nil, "\(name): counted over ten seconds")
        for _ in 0..<10 { server.receive(frame) }
        #expect(end(of: server) == calm, "\(name)")
    }

    @Test func `answers that wait for a client that does not read are bounded`() {
        let server = Server.greeted(HTTP2Limits(controlFrames: 1_000, waitingAnswers: 20))
        for _ in 0..<40 { server.receive(Frames.frame(.ping, [1, 2, 3, 4, 5, 6, 7, 8])) }
        #expect(server.connection.failure?.code == .enhanceYourCalm)
    }

    @Test func `SETTINGS with more entries than there are settings end the connection`() {
        let server = Server.greeted()
        server.receive(Frames.frame(.settings, (0..<1_000).flatMap { _ in Frames.setting(1, 4_096) }))
        #expect(end(of: server) == calm)
    }

    @Test func `a header list that is too long is told, and its stream can be answered`() {
        let server = Server.greeted(HTTP2Limits(headerListBytes: 1_000))
        server.receive(Frames.request(1, Frames.get + [("a", String(repeating: "b", count: 1_000))]))
        #expect(server.happenings == [.oversized(1)])
        #expect(server.connection.respond(to: 1, status: 431, fields: [], hasBody: false))
        let frames = server.takeSent()
        #expect(server.fields(of: frames[0]) == [":status: 431"])
        server.receive(Frames.request(3))
        #expect(server.heads.count == 1)
    }

    @Test func `header-list bomb: bytes that name kilobytes of the table`() {
        let server = Server.greeted()
        // RFC 7541 §6.2.1: a literal of 3,000 bytes that the table keeps, then references to it, one byte each.
        let entry = [0x40] + Frames.text("a") + Frames.text(String(repeating: "b", count: 3_000))
        let block = Frames.block(Frames.get) + entry + [UInt8](repeating: 0x80 | 62, count: 10_000)
        server.receive(Frames.frame(.headers, flags: 0x5, stream: 1, block))
        #expect(server.happenings == [.failed(.enhanceYourCalm)])
        #expect(end(of: server) == calm)
    }

    @Test func `a table of any size is not ours to keep`() {
        let server = Server.greeted()
        // RFC 7541 §6.3: an update beyond what this side allows.
        server.receive(
            Frames.frame(.headers, flags: 0x5, stream: 1, [0x3F, 0xE1, 0xFF, 0x03] + Frames.block(Frames.get)))
        #expect(end(of: server) == [.compressionError, .compressionError])
    }

    @Test func `zero-window stall: what waits stays where it is, and other streams go on`() {
        let server = Server.greeted()
        server.receive(Frames.frame(.settings, Frames.setting(4, 0)) + Frames.request(1) + Frames.request(3))
        server.receive(Frames.windowUpdate(3, 1_000))
        server.answer(1, [UInt8](repeating: 1, count: 50_000))
        server.answer(3, [3, 3])
        let frames = server.takeSent().of(.data)
        #expect(frames == [SentFrame(kind: 0, flags: 1, stream: 3, payload: [3, 3])])
        #expect(server.connection.waitingByteCount(of: 1) == 50_000)
        // Who waits for it long enough ends it.
        server.connection.reset(1, .cancel)
        #expect(server.takeSent().of(.reset).map(\.stream) == [1])
        #expect(server.connection.streamCount == 0 && server.connection.failure == nil)
    }

    @Test func `a window that is taken back below zero stalls its streams, and no arithmetic traps`() {
        let server = Server.greeted()
        server.receive(Frames.request(1))
        server.answer(1, [UInt8](repeating: 1, count: 60_000), isWhole: false)
        #expect(server.takeSent().of(.data).count == 4)
        server.receive(Frames.frame(.settings, Frames.setting(4, 0)))
        server.answer(1, [1])
        server.connection.queue(1, on: 1)
        #expect(server.takeSent().of(.data) == [])
        server.receive(Frames.windowUpdate(1, 0x7FFF_FFFF) + Frames.windowUpdate(1, 0x7FFF_FFFF))
        let frames = server.takeSent()
        #expect((frames.of(.reset) + frames.of(.goAway)).map(\.code) == [.flowControlError])
    }

    @Test func `a window update of nothing is an error of its stream`() {
        let server = Server.greeted()
        server.receive(Frames.request(1) + Frames.windowUpdate(1, 0))
        let frames = server.takeSent()
        #expect((frames.of(.reset) + frames.of(.goAway)).map(\.code) == [.protocolError])
    }

    @Test func `priority is refused: it changes nothing, and a stream that depends on itself is told so`() {
        let server = Server.greeted()
        server.receive(Frames.frame(.priority, stream: 9, Frames.word(7) + [255]) + Frames.request(1))
        #expect(server.connection.failure == nil && server.heads.count == 1)
    }

    @Test func `push is refused: a client that promises ends its connection`() {
        let server = Server.greeted()
        server.receive(Frames.frame(.pushPromise, flags: 4, stream: 1, Frames.word(2) + Frames.block(Frames.get)))
        #expect(end(of: server) == [.protocolError, .protocolError])
    }

    @Test func `streams beyond the bound are refused to who cannot know it yet, those before go on`() {
        let server = Server(HTTP2Limits(streams: 2))
        server.receive(Frames.hello + Frames.request(1) + Frames.request(3) + Frames.request(5))
        #expect(server.heads.count == 2)
        #expect(server.takeSent().of(.reset) == [SentFrame(kind: 3, flags: 0, stream: 5, payload: Frames.word(7))])
        server.answer(1, [1])
        server.send()
        server.receive(Frames.request(7))
        #expect(server.heads.count == 3)
    }

    @Test func `streams beyond a bound that the client has acknowledged end the connection`() {
        let server = Server.greeted(HTTP2Limits(streams: 2))
        server.receive(Frames.request(1) + Frames.request(3) + Frames.request(5))
        #expect(server.heads.count == 2)
        #expect(end(of: server) == [.protocolError, .protocolError])
    }

    @Test func `behind a failure nothing is read`() {
        let server = Server.greeted(HTTP2Limits(continuations: 0))
        server.receive(Frames.frame(.headers, flags: 1, stream: 1, Frames.block(Frames.get)))
        server.receive(Frames.frame(.continuation, flags: 4, stream: 1) + Frames.request(3))
        server.receive(Frames.request(5))
        #expect(server.happenings == [.failed(.enhanceYourCalm)])
        #expect(server.takeSent().of(.goAway).count == 1 && server.connection.isOver)
    }

    /// Bytes of a real connection with some changed: whatever they mean now, nothing traps, and what has to be read
    /// stays bounded.
    @Test(arguments: 0..<200)
    func `changed bytes are refused or mean something else, and nothing traps`(_ seed: Int) {
        var generator = Generator(state: UInt64(seed) &+ 1)
        var bytes = Frames.hello
        for stream in [1, 3, 5] as [UInt32] {
            bytes += Frames.request(stream, Frames.post + [("a", "b")], hasBody: true)
            bytes += Frames.data(stream, "hello", isLast: true) + Frames.windowUpdate(0, 100)
        }
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let place = Int.random(in: Frames.preface.count..<bytes.count, using: &generator)
            bytes[place] = UInt8.random(in: 0...255, using: &generator)
        }
        let server = Server()
        for chunk in stride(from: 0, to: bytes.count, by: 7) {
            server.receive(Array(bytes[chunk..<min(chunk + 7, bytes.count)]))
            for case .request(_, let stream, _) in server.happenings { server.answer(stream, [1, 2, 3]) }
            server.send()
        }
        #expect(server.connection.streamCount <= 3)
    }
}

/// xorshift64: the same numbers for the same seed.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
