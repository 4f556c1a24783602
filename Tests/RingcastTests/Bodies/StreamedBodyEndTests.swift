import HTTPTypes
import ReactorTesting
import Testing

@testable import Ringcast

/// Bodies that are read as they come, and do not come to their end.
@Suite(.endingAll) struct StreamedBodyEndTests {
    @Test func `a length over the limit is refused before the handler is called`() throws {
        for (limit, length) in [(10, 11), (nil, 1_048_577), (2_000_000, 2_000_001)] {
            let upload = StreamingUpload(limit: limit)
            let server = try SimulatedServer(upload.routes)
            let answer = server.exchange(StreamingUpload.head("Content-Length: \(length)", "Expect: 100-continue"))
            #expect(SimulatedAnswer(answer).status == 413 && upload.endings.entries.isEmpty)
            let body = String(repeating: "x", count: length - 1)
            let taken = server.exchange(StreamingUpload.head("Content-Length: \(length - 1)") + body)
            #expect(SimulatedAnswer(taken).status == 200 && upload.endings.entries == ["whole"])
        }
    }

    @Test func `the server's limit holds for routes that collect their bodies, and without routes`() throws {
        var routes = StreamingUpload().routes
        routes.post("/whole") { _ in .response(.ok) }
        routes.post("/more", options: RouteOptions(bodyLimit: 100)) { _ in .response(.ok) }
        let servers = [
            try SimulatedServer(routes) { $0.limits.bodyBytes = 10 },
            SimulatedServer({ $0.limits.bodyBytes = 10 }, fetch: { _ in .response(.ok) }),
        ]
        for server in servers {
            for path in ["/whole", "/more"] {
                let body = "Content-Length: 11\r\n\r\nhello world"
                let answer = SimulatedAnswer(server.exchange("POST \(path) HTTP/1.1\r\nHost: t\r\n\(body)"))
                #expect(answer.status == 413 && answer["Connection"] == "close")
            }
        }
    }

    @Test(arguments: [
        ("A\r\n0123456789\r\n1\r\n", 413, "tooLarge"), ("B\r\n", 413, "tooLarge"), ("3\r\nabcd", 400, "malformed"),
    ])
    func `chunks over the limit, and chunks that are none, end the task and are answered`(
        _ chunks: String, _ status: Int, _ code: String
    ) throws {
        let upload = StreamingUpload(limit: 10)
        let server = try SimulatedServer(upload.routes)
        let peer = server.connect()
        let answer = SimulatedAnswer(
            server.exchange(StreamingUpload.head("Transfer-Encoding: chunked") + chunks, on: peer))
        #expect(answer.status == status && answer["Connection"] == "close" && peer.hasSeenEnd)
        #expect(upload.endings.entries == [code] && server.pendingRequests == 0)
    }

    enum Leaving: CaseIterable { case end, reset }

    @Test(arguments: Leaving.allCases, [false, true])
    func `a client that leaves ends the sequence and the task`(_ leaving: Leaving, _ isHeld: Bool) throws {
        let upload = StreamingUpload(isHeld: isHeld)
        let server = try SimulatedServer(upload.routes)
        let peer = server.connect()
        _ = server.exchange(StreamingUpload.head("Content-Length: 1000000") + "some", on: peer)
        if leaving == .end { peer.end() } else { peer.reset() }
        // Where nothing is read, the end is looked for.
        server.advance(isHeld ? .seconds(1) : .zero)
        upload.release()
        server.rest()
        #expect(upload.endings.entries == ["disconnected"] && server.pendingRequests == 0)
        server.advance(.seconds(3))
        #expect(peer.isClosed && peer.receivedBytes.isEmpty && server.simulation.loop.connectionCount == 0)
    }

    @Test func `a client that is too slow is answered 408, and the handler's time rests meanwhile`() throws {
        let upload = StreamingUpload()
        let server = try SimulatedServer(upload.routes) { $0.limits.deferredReplyTimeout = .seconds(15) }
        let peer = server.connect()
        _ = server.exchange(StreamingUpload.head("Content-Length: 200000"), on: peer)
        for _ in 0..<60 {
            peer.send([UInt8](repeating: 120, count: 1_024))
            server.advance(.seconds(1))
        }
        #expect(upload.endings.entries.isEmpty && peer.receivedBytes.isEmpty && upload.pieces.entries.count == 60)
        server.advance(.seconds(9))
        #expect(upload.endings.entries.isEmpty)
        server.advance(.seconds(2))
        #expect(SimulatedAnswer(String(decoding: peer.takeReceivedBytes(), as: UTF8.self)).status == 408)
        #expect(upload.endings.entries == ["timedOut"] && peer.hasSeenEnd && server.pendingRequests == 0)
    }

    @Test func `a handler that is too slow is not the client's fault`() throws {
        let upload = StreamingUpload(isHeld: true)
        let server = try SimulatedServer(upload.routes) { $0.limits.deferredReplyTimeout = .seconds(100) }
        let peer = server.connect()
        _ = server.exchange(StreamingUpload.head("Content-Length: 200000") + "some", on: peer)
        server.advance(.seconds(99))
        #expect(peer.receivedBytes.isEmpty)
        server.advance(.seconds(2))
        #expect(SimulatedAnswer(String(decoding: peer.takeReceivedBytes(), as: UTF8.self)).status == 503)
        upload.release()
        server.rest()
        #expect(upload.endings.entries == ["answered"] && peer.hasSeenEnd)
    }

    @Test func `a reply in the middle of the body closes behind it, and ends who still reads`() throws {
        let journal = Journal<String>()
        var routes = Routes()
        routes.post("/upload", options: RouteOptions(streamsBody: true)) { request in
            let body = request.body(streaming: 100)
            return .deferred {
                var pieces = body.makeAsyncIterator()
                _ = try await pieces.next()
                Task {
                    do throws(RequestBodyError) { for try await _ in body {} } catch { journal.note("\(error.code)") }
                }
                return .response(.ok, "enough")
            }
        }
        let server = try SimulatedServer(routes)
        let peer = server.connect()
        let answer = SimulatedAnswer(server.exchange(StreamingUpload.head("Content-Length: 50") + "some", on: peer))
        #expect(answer.text == "enough" && answer["Connection"] == "close" && peer.hasSeenEnd)
        #expect(journal.wait() == ["answered"])
    }

    @Test func `a server that stops lets bodies come, until its patience ends`() throws {
        for isComplete in [true, false] {
            let upload = StreamingUpload()
            let server = try SimulatedServer(upload.routes)
            let peer = server.connect()
            _ = server.exchange(StreamingUpload.head("Content-Length: 10") + "some", on: peer)
            server.stop(within: .zero, deadline: .seconds(5))
            server.advance(.seconds(4))
            #expect(upload.endings.entries.isEmpty)
            if isComplete {
                let answer = SimulatedAnswer(server.exchange(" where", on: peer))
                #expect(answer.text == "some where" && answer["Connection"] == "close")
            }
            server.advance(.seconds(3))
            #expect(upload.endings.entries == [isComplete ? "whole" : "disconnected"] && peer.isClosed)
        }
    }

    @Test func `what a handler throws of its own is 500`() throws {
        struct Full: Error {}
        var routes = Routes()
        routes.post("/upload", options: RouteOptions(streamsBody: true)) { request in
            let body = request.body(streaming: 100)
            return .deferred {
                for try await _ in body { throw Full() }
                return .response(.ok)
            }
        }
        let server = try SimulatedServer(routes)
        let peer = server.connect()
        let answer = SimulatedAnswer(server.exchange(StreamingUpload.head("Content-Length: 50") + "some", on: peer))
        #expect(answer.status == 500 && answer["Connection"] == "close" && peer.hasSeenEnd)
    }
}
