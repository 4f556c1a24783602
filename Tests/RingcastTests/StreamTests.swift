import HTTPTypes
import ReactorTesting
import Testing

@testable import Ringcast

/// Streamed answers over simulated connections: what is on the wire, and what follows it.
@Suite(.endingAll) struct StreamTests {
    private static func request(_ method: String = "GET", _ path: String = "/", _ version: String = "1.1") -> [UInt8] {
        Array("\(method) \(path) HTTP/\(version)\r\nHost: t\r\n\r\n".utf8)
    }

    private func text(_ peer: SimulatedPeer) -> String { String(decoding: peer.takeReceivedBytes(), as: UTF8.self) }

    private func pendingRequests(of server: SimulatedServer) -> UInt64 {
        server.core.counters[0].load().pendingRequests
    }

    /// Head and body of an answer.
    private func parts(_ answer: String) throws -> (head: String, body: String) {
        let end = try #require(answer.firstRange(of: "\r\n\r\n"))
        return (String(answer[..<end.upperBound]), String(answer[end.upperBound...]))
    }

    @Test func `a body is sent in chunks as it is written, and the next request is answered behind it`() throws {
        let gate = Gate()
        let server = SimulatedServer(fetch: { request in
            if request.path == "/next" { return .response(.ok, "next") }
            return .stream(headers: [.contentType: "text/plain"]) { writer in
                try await writer.write("hello ")
                try await writer.write([])
                guard await gate.wait() else { return }
                try await writer.write([UInt8](repeating: 97, count: 20))
            }
        })
        let peer = server.connect()
        peer.send(Self.request() + Self.request("GET", "/next"))
        server.rest()
        let first = try parts(text(peer))
        #expect(first.head.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"))
        #expect(first.head.contains("\r\nTransfer-Encoding: chunked\r\n"))
        #expect(!first.head.contains("Content-Length") && !first.head.contains("Connection"))
        #expect(first.body == "6\r\nhello \r\n")
        #expect(pendingRequests(of: server) == 1)
        gate.open()
        server.rest()
        let rest = text(peer)
        #expect(rest.hasPrefix("14\r\naaaaaaaaaaaaaaaaaaaa\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"))
        #expect(rest.hasSuffix("\r\n\r\nnext"))
        #expect(pendingRequests(of: server) == 0 && !peer.hasSeenEnd)
        server.advance(.seconds(11))
        #expect(peer.hasSeenEnd, "the connection has its keep-alive time behind a stream, too")
    }

    @Test func `a client of HTTP 1 0 gets the bytes as they are, and the end of the connection`() throws {
        let server = SimulatedServer(fetch: { _ in
            .stream { writer in for word in ["one ", "two"] { try await writer.write(word) } }
        })
        let peer = server.connect()
        peer.send(Array("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".utf8))
        server.rest()
        let answer = try parts(text(peer))
        #expect(answer.head.contains("\r\nContent-Type: application/octet-stream\r\n"))
        #expect(answer.head.contains("\r\nConnection: close\r\n") && !answer.head.contains("Transfer-Encoding"))
        #expect(answer.body == "one two")
        #expect(peer.hasSeenEnd && !peer.hasSeenReset)
    }

    @Test func `a body of a length that was given is sent as it is`() throws {
        let server = SimulatedServer(fetch: { _ in
            .stream(.accepted, length: 7) { writer in for word in ["one ", "two"] { try await writer.write(word) } }
        })
        let peer = server.connect()
        for version in ["1.1", "1.1", "1.0"] {
            peer.send(Self.request("GET", "/", version))
            server.rest()
            let answer = try parts(text(peer))
            #expect(answer.head.hasPrefix("HTTP/1.1 202 Accepted\r\n"))
            #expect(answer.head.contains("\r\nContent-Length: 7\r\n") && !answer.head.contains("Transfer-Encoding"))
            #expect(answer.body == "one two")
            #expect(peer.hasSeenEnd == (version == "1.0"))
        }
    }

    @Test(arguments: [3, 5], ["1.1", "1.0"])
    func `a body that is not as long as was said is cut, and logged`(_ length: Int, _ version: String) throws {
        let (log, journal) = (LogRecorder(), Journal<String>())
        let server = SimulatedServer({ $0.logger = log.logger() }) { _ in
            .stream(length: length) { writer in
                try await writer.write("ab")
                do { try await writer.write("cd") } catch { journal.note("\(error is CancellationError)") }
            }
        }
        let peer = server.connect()
        peer.send(Self.request("GET", "/exact", version))
        server.rest()
        #expect(peer.isClosed && peer.hasSeenReset)
        let fault = length == 3 ? "more" : "fewer"
        #expect(log.lines == ["error: a streamed body has \(fault) bytes than its length"])
        #expect(log.metadata.first?["path"] == "/exact")
        #expect(journal.entries == (length == 3 ? ["true"] : []))
        #expect(pendingRequests(of: server) == 0 && server.simulation.loop.connectionCount == 0)
    }

    private struct Oops: Error {}

    @Test(arguments: ["1.1", "1.0"])
    func `a body that throws cuts the connection, without a last chunk`(_ version: String) throws {
        let log = LogRecorder()
        let gate = Gate()
        let server = SimulatedServer({ $0.logger = log.logger() }) { _ in
            .stream { writer in
                try await writer.write("half")
                _ = await gate.wait()
                throw Oops()
            }
        }
        let peers = (0..<3).map { _ in server.connect() }
        for peer in peers { peer.send(Self.request("GET", "/half", version)) }
        server.rest()
        for peer in peers {
            gate.open()
            server.rest()
            let body = try parts(text(peer)).body
            #expect(body == (version == "1.1" ? "4\r\nhalf\r\n" : "half"))
        }
        #expect(peers.allSatisfy { $0.isClosed && $0.hasSeenReset })
        #expect(log.lines == ["error: a streamed body threw: Oops()"])
        #expect(log.metadata.first?["path"] == "/half")
        server.advance(.milliseconds(1_128))
        #expect(log.lines.dropFirst() == ["error: 2 more like this within a second: a streamed body threw: Oops()"])
    }

    @Test func `HEAD and a status without a body get the head, and the body does not run`() throws {
        let runs = Journal<String>()
        let server = SimulatedServer(fetch: { request in
            let length: Int? = request.path == "/5" ? 5 : nil
            return .stream(request.path == "/204" ? .noContent : .ok, length: length) { _ in runs.note("ran") }
        })
        let peer = server.connect()
        for (method, path, field) in [
            ("HEAD", "/", nil), ("HEAD", "/5", "\r\nContent-Length: 5\r\n"), ("GET", "/204", nil),
        ] {
            peer.send(Self.request(method, path))
            server.rest()
            let answer = try parts(text(peer))
            #expect(answer.body == "" && !answer.head.contains("Transfer-Encoding"))
            #expect(answer.head.contains("Content-Length") == (field != nil) && answer.head.contains(field ?? ""))
        }
        #expect(runs.entries == [] && !peer.hasSeenEnd && pendingRequests(of: server) == 0)
    }

    @Test(arguments: [(100, nil), (200, -1)])
    func `a response that cannot be sent is a 500, and its body does not run`(_ code: Int, _ length: Int?) throws {
        let runs = Journal<String>()
        let server = SimulatedServer(fetch: { _ in
            .stream(.init(code: code), length: length) { _ in runs.note("ran") }
        })
        let peer = server.connect()
        peer.send(Self.request())
        server.rest()
        #expect(text(peer).hasPrefix("HTTP/1.1 500 ") && runs.entries == [])
    }

    @Test func `it can be what a deferred reply gives, whose deadline does not count for it`() throws {
        let (asked, gate) = (Gate(), Gate())
        let server = SimulatedServer(fetch: { _ in
            .deferred(within: .seconds(2)) {
                _ = await asked.wait()
                return .stream { writer in
                    try await writer.write("a")
                    _ = await gate.wait()
                    try await writer.write("b")
                }
            }
        })
        let peer = server.connect()
        peer.send(Self.request())
        server.advance(.seconds(1))
        asked.open()
        server.advance(.seconds(100))
        gate.open()
        server.rest()
        #expect(try parts(text(peer)).body == "1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
        #expect(!peer.hasSeenEnd)
    }

    @Test func `middleware sees its status and changes its headers, and observers hear of its head`() throws {
        let answers = Journal<Int?>()
        let gate = Gate()
        var routes = Routes()
        routes.use { request, next in
            try next(request).setting(.cacheControl, to: "no-store").then { reply in
                reply.status == .ok ? reply.whenAnswered { answers.note($0?.code) } : .response(.badGateway)
            }
        }
        routes.get("/:code") { request in
            .stream(.init(code: Int(request.parameter("code")!)!)) { _ in _ = await gate.wait() }
        }
        let server = try SimulatedServer(routes)
        let peer = server.connect()
        peer.send(Self.request("GET", "/404") + Self.request("GET", "/200"))
        server.rest()
        let answer = text(peer)
        #expect(answer.hasPrefix("HTTP/1.1 502 ") && answer.contains("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("\r\nCache-Control: no-store\r\n"))
        #expect(answers.entries == [200])
        let responses = server.core.counters[0].events.responses
        #expect(responses[.successful] == 1 && responses[.serverError] == 1)
    }
}
