import HTTPTypes
import ReactorTesting
import Testing

@testable import Ringcast

/// Streamed answers that are made of bodies as these come.
@Suite(.endingAll) struct StreamedBothWaysTests {
    /// Answers each piece with itself in capitals.
    private static func routes(_ journal: Journal<String>, limit: Int = 1 << 30, asks: Bool = true) -> Routes {
        var routes = Routes()
        routes.post("/upload", options: RouteOptions(bodyLimit: limit, streamsBody: true)) { request in
            let body = request.body(streaming: 65_536)
            return .stream(headers: [.contentType: "text/plain"]) { writer in
                guard asks else { return try await writer.write("no body is needed") }
                do {
                    for try await piece in body {
                        try await writer.write(String(decoding: piece, as: UTF8.self).uppercased())
                    }
                    journal.note("whole")
                } catch let error as RequestBodyError {
                    journal.note("\(error.code)")
                    throw error
                }
            }
        }
        return routes
    }

    @Test func `an answer grows with the body, and the connection closes behind it`() throws {
        let journal = Journal<String>()
        let server = try SimulatedServer(Self.routes(journal))
        let peer = server.connect()
        let first = server.exchange(StreamingUpload.head("Content-Length: 8") + "some", on: peer)
        #expect(first.hasPrefix("HTTP/1.1 200") && first.contains("Connection: close\r\n"))
        #expect(first.hasSuffix("\r\n\r\n4\r\nSOME\r\n") && !peer.hasSeenEnd)
        #expect(server.exchange("body", on: peer) == "4\r\nBODY\r\n0\r\n\r\n")
        #expect(peer.hasSeenEnd && journal.entries == ["whole"] && server.pendingRequests == 0)
    }

    @Test func `a body that is refused cuts the answer`() throws {
        let journal = Journal<String>()
        let server = try SimulatedServer(Self.routes(journal, limit: 6))
        let peer = server.connect()
        _ = server.exchange(StreamingUpload.head("Transfer-Encoding: chunked") + "4\r\nsome\r\n", on: peer)
        #expect(server.exchange("4\r\nbody\r\n", on: peer).isEmpty)
        #expect(peer.hasSeenReset && journal.entries == ["tooLarge"] && server.pendingRequests == 0)
    }

    @Test func `a client that is too slow with the body is cut`() throws {
        let journal = Journal<String>()
        let server = try SimulatedServer(Self.routes(journal))
        let peer = server.connect()
        _ = server.exchange(StreamingUpload.head("Content-Length: 8") + "some", on: peer)
        server.advance(.seconds(9))
        #expect(journal.entries.isEmpty)
        server.advance(.seconds(2))
        #expect(peer.hasSeenReset && journal.entries == ["timedOut"])
    }

    @Test func `a client that waits for leave is not given it behind the answer's head`() throws {
        for asks in [false, true] {
            let journal = Journal<String>()
            let server = try SimulatedServer(Self.routes(journal, asks: asks))
            let peer = server.connect()
            let answer = server.exchange(
                StreamingUpload.head("Content-Length: 8", "Expect: 100-continue"), on: peer)
            #expect(!answer.contains("100 Continue"))
            #expect(journal.entries == (asks ? ["answered"] : []))
            // Who asks for the body all the same has thrown.
            #expect(asks ? peer.hasSeenReset : answer.hasSuffix("0\r\n\r\n") && peer.hasSeenEnd)
        }
    }
}
