import HTTP2Protocol
import HTTP2Testing
import Testing

/// Answers, and the windows that bodies go through (RFC 9113 §5.2, §6.9).
@Suite struct FlowTests {
    @Test func `an answer is a head and a body behind it`() {
        let server = Server.greeted()
        server.receive(Frames.request(1))
        server.answer(1, [UInt8]("hello".utf8))
        let frames = server.takeSent()
        #expect(frames.map(\.kind) == [1, 0])
        #expect(server.fields(of: frames[0]) == [":status: 200"])
        #expect(frames[1] == SentFrame(kind: 0, flags: 1, stream: 1, payload: [UInt8]("hello".utf8)))
        #expect(server.happenings.last == .closed(1, .noError))
        #expect(server.connection.streamCount == 0)
    }

    @Test func `an answer without a body ends with its head`() {
        let server = Server.greeted()
        server.receive(Frames.request(1))
        server.connection.respond(to: 1, status: 204, fields: [("server", "r"), ("x-a", "b")], hasBody: false)
        let frames = server.takeSent()
        #expect(frames.map(\.kind) == [1] && frames[0].flags == 0x5)
        #expect(server.fields(of: frames[0]) == [":status: 204", "server: r", "x-a: b"])
    }

    @Test func `a body that comes later ends with an empty frame, if nothing is left of it`() {
        let server = Server.greeted()
        server.receive(Frames.request(1))
        server.answer(1, [1, 2], isWhole: false)
        #expect(server.takeSent().of(.data).map(\.flags) == [0])
        server.connection.finish(1)
        #expect(server.takeSent() == [SentFrame(kind: 0, flags: 1, stream: 1, payload: [])])
    }

    @Test func `100 comes in front of the answer, and only there`() {
        let server = Server.greeted()
        server.receive(Frames.request(1, Frames.post, hasBody: true))
        #expect(server.connection.inform(1, status: 100))
        #expect(!server.connection.inform(1, status: 101) && !server.connection.inform(1, status: 200))
        server.connection.respond(to: 1, status: 200, fields: [], hasBody: false)
        #expect(!server.connection.inform(1, status: 100))
        let frames = server.takeSent().of(.headers)
        #expect(frames.map { server.fields(of: $0) } == [[":status: 100"], [":status: 200"]])
        #expect(frames.map { $0.flags & 1 } == [0, 1])
    }

    @Test func `a request is answered once, and a closed stream never`() {
        let server = Server.greeted()
        server.receive(Frames.request(1) + Frames.request(3) + Frames.frame(.reset, stream: 3, Frames.word(8)))
        #expect(server.connection.respond(to: 1, status: 200, fields: [], hasBody: true))
        #expect(!server.connection.respond(to: 1, status: 500, fields: [], hasBody: false))
        #expect(!server.connection.respond(to: 3, status: 200, fields: [], hasBody: false))
        #expect(!server.connection.queue(1, on: 3) && !server.connection.queue(1, on: 99))
        server.connection.reset(3, .cancel)
        server.connection.consume(1, of: 3)
        #expect(server.takeSent().map(\.stream) == [1])
    }

    @Test func `no more leaves than the windows allow, and each opens its own`() {
        let server = Server.greeted()
        server.receive(Frames.request(1) + Frames.request(3))
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        server.answer(1, body)
        server.answer(3, [7])
        var frames = server.takeSent().of(.data)
        #expect(frames.reduce(0) { $0 + $1.payload.count } == 65_535)
        #expect(frames.allSatisfy { $0.payload.count <= 16_384 })
        let before = server.connection.waitingByteCount(of: 1) + server.connection.waitingByteCount(of: 3)
        #expect(before == 100_001 - 65_535)
        server.receive(Frames.windowUpdate(0, 100_000))
        frames += server.takeSent().of(.data)
        #expect(frames.filter { $0.stream == 3 }.flatMap(\.payload) == [7])
        #expect(frames.filter { $0.stream == 1 }.reduce(0) { $0 + $1.payload.count } == 65_535)
        server.receive(Frames.windowUpdate(1, 100_000))
        frames += server.takeSent().of(.data)
        #expect(frames.filter { $0.stream == 1 }.flatMap(\.payload) == body)
    }

    @Test func `a stream that nobody reads is held alone, and read it goes on`() {
        let server = Server.greeted()
        server.receive(Frames.request(1, Frames.post, hasBody: true) + Frames.request(3, Frames.post, hasBody: true))
        let piece = String(repeating: "x", count: 16_384)
        for _ in 0..<4 { server.receive(Frames.data(1, piece)) }
        // The window of stream 1 is used up, the connection's is not.
        #expect(server.takeSent().of(.windowUpdate).allSatisfy { $0.stream == 0 })
        server.receive(Frames.data(3, piece))
        #expect(server.connection.failure == nil && server.happenings.last == .data([UInt8](piece.utf8), 3))
        server.connection.consume(65_536, of: 1)
        #expect(server.takeSent().of(.windowUpdate).map(\.stream) == [1])
        server.receive(Frames.data(1, piece))
        #expect(server.connection.streamCount == 2)
    }

    @Test func `who sends more than the window has its stream reset`() {
        let server = Server.greeted()
        server.receive(Frames.request(1, Frames.post, hasBody: true))
        for _ in 0..<5 { server.receive(Frames.data(1, String(repeating: "x", count: 16_384))) }
        let frames = server.takeSent()
        #expect((frames.of(.reset) + frames.of(.goAway)).map(\.code) == [.flowControlError])
    }

    @Test func `what is left of a request behind its answer is not wanted`() {
        let server = Server.greeted()
        server.receive(Frames.request(1, Frames.post, hasBody: true))
        server.connection.refuseRest(of: 1)
        server.connection.respond(to: 1, status: 413, fields: [], hasBody: false)
        let frames = server.takeSent()
        #expect(frames.map(\.kind) == [1, 3] && frames[1].code == .noError)
        server.receive(Frames.data(1, "late", isLast: true))
        #expect(server.connection.failure == nil && server.connection.streamCount == 0)
    }

    @Test func `what is left of a request is refused only if something is left`() {
        let server = Server.greeted()
        server.receive(Frames.request(1))
        server.connection.refuseRest(of: 1)
        server.answer(1, [1])
        #expect(server.takeSent().map(\.kind) == [1, 0])
    }

    @Test func `a connection that leaves finishes what it has, takes nothing more, and is over`() {
        let server = Server.greeted()
        server.receive(Frames.request(1))
        server.connection.leave()
        #expect(server.takeSent().of(.goAway).map(\.code) == [.noError])
        server.receive(Frames.request(3))
        #expect(server.connection.streamCount == 1 && !server.connection.isOver)
        server.answer(1, [1])
        #expect(server.takeSent().of(.data).count == 1)
        #expect(server.connection.isOver && server.connection.failure == nil)
    }

    @Test func `what the limits say is what the client is told`() {
        let server = Server(HTTP2Limits(streams: 7, headerListBytes: 1_000, streamWindow: 5_000))
        server.receive(Frames.hello)
        let payload = server.takeSent().of(.settings)[0].payload
        let settings = stride(from: 0, to: payload.count, by: 6).map { Array(payload[$0..<$0 + 6]) }
        #expect(settings.contains(Frames.setting(3, 7)) && settings.contains(Frames.setting(4, 5_000)))
        #expect(settings.contains(Frames.setting(6, 1_000)) && settings.contains(Frames.setting(8, 1)))
        #expect(settings.contains(Frames.setting(9, 1)))
    }
}
