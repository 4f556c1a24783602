import HTTPTypes
import ReactorTesting
import Testing

@testable import Ringcast

/// Bodies that are read as they come, over simulated connections.
@Suite(.endingAll) struct StreamedBodyTests {
    private static let chunks = "4;x=y\r\nWiki\r\n5\r\npedia\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n"

    @Test func `a handler reads the body as it comes, and the next request follows`() throws {
        let upload = StreamingUpload()
        let server = try SimulatedServer(upload.routes)
        let peer = server.connect()
        #expect(server.exchange(StreamingUpload.head("Content-Length: 10") + "01", on: peer).isEmpty)
        #expect(upload.pieces.entries == [2] && server.pendingRequests == 1)
        #expect(server.exchange("2345", on: peer).isEmpty)
        #expect(upload.pieces.entries == [2, 4])
        let answers = server.exchange("6789" + StreamingUpload.next, on: peer)
        #expect(answers.contains("\r\n\r\n0123456789HTTP/1.1 200") && answers.hasSuffix("\r\n\r\nnext"))
        #expect(upload.endings.entries == ["whole"] && server.pendingRequests == 0 && !peer.hasSeenEnd)
    }

    @Test func `a body that came with its head is read in the same way`() throws {
        let upload = StreamingUpload(window: 4)
        let server = try SimulatedServer(upload.routes)
        let text = StreamingUpload.head("Content-Length: 10") + "0123456789" + StreamingUpload.next
        let answers = server.exchange(text)
        #expect(answers.contains("\r\n\r\n0123456789HTTP/1.1 200") && answers.hasSuffix("\r\n\r\nnext"))
        #expect(upload.pieces.entries == [4, 4, 2])
        #expect(server.exchange(StreamingUpload.head()).contains("Content-Length: 0"))
    }

    @Test func `chunks are put together wherever they are cut, whatever the window`() throws {
        let upload = StreamingUpload(window: 7)
        let server = try SimulatedServer(upload.routes)
        let head = StreamingUpload.head("Transfer-Encoding: chunked")
        let text = Array((Self.chunks + StreamingUpload.next).utf8)
        for cut in 0...text.count {
            let peer = server.connect()
            _ = server.exchange(head + String(decoding: text[..<cut], as: UTF8.self), on: peer)
            peer.send(Array(text[cut...]))
            server.rest()
            let answers = String(decoding: peer.receivedBytes, as: UTF8.self)
            #expect(answers.hasSuffix("\r\n\r\nnext") || cut == text.count)
            peer.end()
            server.rest()
        }
        #expect(upload.endings.entries.count == text.count + 1)
        #expect(upload.endings.entries.allSatisfy { $0 == "whole" } && upload.pieces.entries.max()! <= 7)
    }

    @Test func `chunks that come byte by byte are put together`() throws {
        let upload = StreamingUpload()
        let server = try SimulatedServer(upload.routes)
        let peer = server.connect()
        let text = StreamingUpload.head("Transfer-Encoding: chunked") + Self.chunks + StreamingUpload.next
        for byte in text.utf8 {
            peer.send([byte])
            server.rest()
        }
        let answers = String(decoding: peer.receivedBytes, as: UTF8.self)
        #expect(answers.contains("\r\n\r\nWikipedia0123456789abcdefHTTP/1.1 200") && answers.hasSuffix("next"))
    }

    @Test func `the client is not read while the handler is behind`() throws {
        let upload = StreamingUpload(window: 10_000, isHeld: true)
        let server = try SimulatedServer(upload.routes)
        let peer = server.connect()
        _ = server.exchange(StreamingUpload.head("Content-Length: 3000000"), on: peer)
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        for start in stride(from: 0, to: bytes.count, by: 300_000) {
            peer.send(Array(bytes[start..<start + 300_000]))
            server.rest()
        }
        #expect(upload.pieces.entries.isEmpty && peer.unreadByteCount > 2_000_000)
        server.advance(.seconds(20))
        upload.release()
        server.rest()
        #expect(upload.endings.entries == ["whole"] && upload.pieces.entries.max()! <= 10_000)
        #expect(peer.takeReceivedBytes().suffix(bytes.count) == bytes[...])
    }

    @Test(arguments: ["Content-Length: 5", "Transfer-Encoding: chunked"])
    func `leave to send the body is given when it is asked for`(_ framing: String) throws {
        let upload = StreamingUpload(isHeld: true)
        let server = try SimulatedServer(upload.routes)
        let peer = server.connect()
        #expect(server.exchange(StreamingUpload.head(framing, "Expect: 100-continue"), on: peer).isEmpty)
        upload.release()
        server.rest()
        #expect(String(decoding: peer.takeReceivedBytes(), as: UTF8.self) == "HTTP/1.1 100 Continue\r\n\r\n")
        let body = framing.hasPrefix("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n"
        #expect(server.exchange(body + StreamingUpload.next, on: peer).hasSuffix("next"))
        #expect(upload.endings.entries == ["whole"])
    }

    @Test(arguments: [false, true])
    func `a client is refused without a byte of body, at once or later`(_ isDeferred: Bool) throws {
        var routes = Routes()
        routes.post("/upload", options: RouteOptions(streamsBody: true)) { request in
            let body = request.body(streaming: 10)
            guard isDeferred else { return .response(.unauthorized) }
            return .deferred {
                _ = body
                return .response(.unauthorized)
            }
        }
        let server = try SimulatedServer(routes)
        for expectation in ["Expect: 100-continue", "X: y"] {
            let peer = server.connect()
            let answer = SimulatedAnswer(
                server.exchange(StreamingUpload.head("Content-Length: 5", expectation), on: peer))
            #expect(answer.status == 401 && answer["Connection"] == "close")
            #expect(peer.hasSeenEnd, "what follows is no request")
        }
        #expect(server.pendingRequests == 0)
    }

    @Test func `middleware that waits passes the body on, and refuses before it`() throws {
        let upload = StreamingUpload()
        var routes = Routes()
        routes.use(within: .seconds(5)) { request, next in
            guard request.request.header(.authorization) == "yes" else { return .response(.unauthorized) }
            return try next(request)
        }
        let guarded = try #require(upload.routes.entries.first)
        routes.post("/guarded", options: guarded.options, guarded.answer)
        let server = try SimulatedServer(routes)
        let head = { (secret: String) in
            StreamingUpload.head("Authorization: \(secret)", "Content-Length: 5", path: "/guarded")
        }
        let peer = server.connect()
        #expect(server.exchange(head("yes") + "he", on: peer).isEmpty)
        #expect(server.exchange("llo", on: peer).hasSuffix("\r\n\r\nhello"))
        #expect(SimulatedAnswer(server.exchange(head("no"), on: peer)).status == 401)
        #expect(peer.hasSeenEnd && upload.endings.entries == ["whole"])
    }

    /// The example of the documentation.
    @Test func `a route that waits reads the body of its copy`() throws {
        let store = Journal<String>()
        var routes = Routes()
        let upload = RouteOptions(bodyLimit: 1 << 30, streamsBody: true)
        routes.post("/files/:name", options: upload, within: .seconds(60)) { request in
            store.note(request.parameter("name")!)
            for try await piece in request.body(streaming: 65_536) {
                store.note(String(decoding: piece, as: UTF8.self))
            }
            return .response(.created)
        }
        let server = try SimulatedServer(routes)
        let peer = server.connect()
        _ = server.exchange(StreamingUpload.head("Content-Length: 8", path: "/files/a") + "some", on: peer)
        #expect(SimulatedAnswer(server.exchange("body", on: peer)).status == 201)
        #expect(store.entries == ["a", "some", "body"])
    }

    @Test func `the body of another route is there, and can be read in pieces as well`() throws {
        let journal = Journal<String>()
        let server = SimulatedServer(fetch: { request in
            let (body, length) = (request.body(streaming: 3), request.body.byteCount)
            return .deferred {
                for try await piece in body { journal.note(String(decoding: piece, as: UTF8.self)) }
                return .response(.ok, "\(length)")
            }
        })
        #expect(server.exchange(StreamingUpload.head("Content-Length: 5") + "hello").hasSuffix("\r\n\r\n5"))
        #expect(journal.entries == ["hel", "lo"])
    }
}
