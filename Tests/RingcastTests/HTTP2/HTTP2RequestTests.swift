import HTTP2Testing
import HTTPTypes
import ReactorTesting
import Testing

@testable import Ringcast

/// Requests over HTTP/2, on simulated connections: the same handlers and replies as over HTTP/1.1.
@Suite(.endingAll) struct HTTP2RequestTests {
    private static let echo: @Sendable (borrowing Request) throws -> Reply = { request in
        .response(.ok, "\(request.method.rawValue) \(request.path) \(request.host ?? "-") \(request.string)")
    }

    @Test func `a client that knows it beforehand is served on a plain port`() {
        let server = SimulatedServer.http2(fetch: Self.echo)
        let client = HTTP2Peer(server)
        let answer = client.get("/a?b")
        #expect(answer.status == ":status: 200")
        #expect(answer.text == "GET /a a.example ")
        #expect(answer.isWhole && answer.reset == nil)
        #expect(answer.fields.contains("content-length: 17"))
        #expect(answer.fields.contains { $0.hasPrefix("date: ") })
        #expect(!answer.fields.contains { $0.hasPrefix("connection") })
    }

    @Test func `the preface may come byte by byte`() {
        let server = SimulatedServer.http2(fetch: Self.echo)
        let client = HTTP2Peer(server, greets: false)
        for byte in HTTP2Peer.hello(window: 1_000) { client.say([byte]) }
        #expect(client.get("/x").text == "GET /x a.example ")
    }

    @Test func `HTTP 1 is served on the same port`() {
        let server = SimulatedServer.http2(fetch: Self.echo)
        let peer = server.connect()
        peer.send(Array("GET /x HTTP/1.1\r\nHost: t\r\n\r\n".utf8))
        server.rest()
        #expect(String(decoding: peer.receivedBytes, as: UTF8.self).hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test(arguments: [false, true])
    func `where HTTP 2 is not served, or a request came before, its preface is a malformed request`(served: Bool) {
        let server = SimulatedServer({ $0.http2 = served ? HTTP2Options() : nil }, fetch: Self.echo)
        let peer = server.connect()
        if served {
            peer.send(Array("GET / HTTP/1.1\r\nHost: t\r\n\r\n".utf8))
            server.rest()
            _ = peer.takeReceivedBytes()
        }
        peer.send(Frames.hello)
        server.rest()
        #expect(String(decoding: peer.receivedBytes, as: UTF8.self).hasPrefix("HTTP/1.1 400"))
        #expect(peer.hasSeenEnd)
    }

    @Test func `what only begins like the preface is refused as in HTTP 1`() {
        let server = SimulatedServer.http2(fetch: Self.echo)
        let peer = server.connect()
        peer.send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r".utf8))
        server.rest()
        #expect(String(decoding: peer.receivedBytes, as: UTF8.self).hasPrefix("HTTP/1.1 400"))
    }

    @Test func `many requests of a connection are answered, each on its stream, in one send`() {
        let server = SimulatedServer.http2(fetch: Self.echo)
        let client = HTTP2Peer(server)
        let sends = server.simulation.loop.statistics.sendSubmissions.value
        let streams = (0..<100).map { _ in client.takeStream() }
        client.say(streams.flatMap { Frames.request($0, HTTP2Peer.fields("GET", "/\($0)")) })
        for stream in streams { #expect(client[stream].text == "GET /\(stream) a.example ") }
        #expect(server.simulation.loop.statistics.sendSubmissions.value - sends <= 2)
        #expect(server.simulation.loop.connectionCount == 1, "what was answered is gone")
    }

    @Test(arguments: [("HEAD", 200), ("HEAD", 204), ("GET", 204)])
    func `an answer without a body ends with its head`(method: String, status: Int) {
        let server = SimulatedServer.http2(fetch: { _ in
            status == 204 ? .response(.noContent) : .response(.ok, "hello")
        })
        let client = HTTP2Peer(server)
        let answer = client[client.ask(HTTP2Peer.fields(method, "/"))]
        #expect(answer.status == ":status: \(status)" && answer.isWhole && answer.body.isEmpty)
        #expect(answer.fields.contains("content-length: 5") == (status == 200))
    }

    @Test(arguments: [true, false])
    func `a body is collected, whether or not its length is told`(isTold: Bool) {
        let server = SimulatedServer.http2(fetch: Self.echo)
        let client = HTTP2Peer(server)
        let stream = client.ask(
            HTTP2Peer.fields("POST", "/", isTold ? [("content-length", "10")] : []), hasBody: true)
        client.say(Frames.data(stream, "hello"))
        #expect(client[stream].heads.isEmpty)
        client.say(Frames.data(stream, "world", isLast: true))
        #expect(client[stream].text == "POST / a.example helloworld")
        #expect(client[stream].isWhole)
    }

    @Test func `an empty last frame ends a body`() {
        let server = SimulatedServer.http2(fetch: Self.echo)
        let client = HTTP2Peer(server)
        let stream = client.ask(Frames.post, hasBody: true)
        client.say(Frames.data(stream, "x"))
        client.say(Frames.data(stream, "", isLast: true))
        #expect(client[stream].text == "POST /x a.example x")
    }

    @Test(arguments: [true, false])
    func `a body over the limit gets 413, and its rest is not wanted`(isTold: Bool) {
        let server = SimulatedServer.http2({ $0.limits.bodyBytes = 100 }, fetch: Self.echo)
        let client = HTTP2Peer(server)
        let stream = client.ask(
            HTTP2Peer.fields("POST", "/", isTold ? [("content-length", "200")] : []), hasBody: true)
        client.say(Frames.data(stream, String(repeating: "x", count: 150)))
        #expect(client[stream].status == ":status: 413")
        #expect(client[stream].isWhole && client[stream].reset == 0)
        #expect(client.get("/next").status == ":status: 200", "the connection goes on")
    }

    @Test func `who waits for leave to send a body gets it`() {
        let server = SimulatedServer.http2(fetch: Self.echo)
        let client = HTTP2Peer(server)
        let stream = client.ask(HTTP2Peer.fields("POST", "/", [("expect", "100-continue")]), hasBody: true)
        #expect(client[stream].heads == [[":status: 100"]])
        client.say(Frames.data(stream, "x", isLast: true))
        #expect(client[stream].status == ":status: 200" && client[stream].text.hasSuffix(" x"))
    }

    @Test func `a body that is read as it comes opens its window as it is read`() {
        let gate = Gate()
        var routes = Routes()
        routes.post("/up", options: RouteOptions(bodyLimit: 1 << 20, streamsBody: true), within: .seconds(60)) {
            request in
            let body = request.body(streaming: 1_024)
            guard await gate.wait() else { return .response(.ok, "cancelled") }
            var count = 0
            for try await piece in body { count += piece.count }
            return .response(.ok, "\(count)")
        }
        let server = try! SimulatedServer(routes) { $0.http2 = HTTP2Options() }
        let client = HTTP2Peer(server)
        let stream = client.ask(HTTP2Peer.fields("POST", "/up"), hasBody: true)
        for _ in 0..<3 { client.say(Frames.data(stream, [UInt8](repeating: 1, count: 16_000))) }
        #expect(client[stream].credit == 0, "nobody has taken any of it")
        gate.open()
        server.rest()
        #expect(client[stream].credit > 30_000)
        client.say(Frames.data(stream, [UInt8](repeating: 1, count: 16_000), isLast: true))
        #expect(client[stream].text == "64000")
    }

    @Test func `a reply that is deferred, and one that is streamed, come as they are made`() {
        let gates = (later: Gate(), stream: Gate())
        let server = SimulatedServer.http2(fetch: { request in
            if request.path == "/later" {
                return .deferred { .response(.ok, await gates.later.wait() ? "late" : "cancelled") }
            }
            return .stream { writer in
                try await writer.write("one ")
                guard await gates.stream.wait() else { return }
                try await writer.write("two")
            }
        })
        let client = HTTP2Peer(server)
        let (later, stream) = (client.ask(HTTP2Peer.fields("GET", "/later")), client.ask())
        #expect(client[stream].text == "one " && !client[stream].isWhole && client[later].heads.isEmpty)
        #expect(!client[stream].fields.contains { $0.hasPrefix("transfer-encoding") })
        gates.stream.open()
        server.rest()
        #expect(client[stream].text == "one two" && client[stream].isWhole)
        gates.later.open()
        server.rest()
        #expect(client[later].text == "late" && client[later].isWhole)
    }

    @Test func `a client that resets its stream does not wait for the reply, and the task is cancelled`() {
        let gate = Gate()
        let journal = Journal<String>()
        let server = SimulatedServer.http2(fetch: { _ in
            .deferred {
                journal.note(await gate.wait() ? "opened" : "cancelled")
                return .response(.ok)
            }
        })
        let client = HTTP2Peer(server)
        let stream = client.ask()
        #expect(server.core.counters[0].load().pendingRequests == 1)
        client.say(Frames.reset(stream))
        #expect(journal.entries == ["cancelled"])
        #expect(server.core.counters[0].load().pendingRequests == 0)
        #expect(server.simulation.loop.connectionCount == 1)
    }

    @Test func `a streamed body that fails resets its stream, and no other`() {
        struct Broken: Error {}
        let server = SimulatedServer.http2(fetch: { request in
            guard request.path == "/broken" else { return .response(.ok, "fine") }
            return .stream { writer in
                try await writer.write("one ")
                throw Broken()
            }
        })
        let client = HTTP2Peer(server)
        let answer = client.get("/broken")
        #expect(answer.reset == 2 && !answer.isWhole)
        #expect(client.get("/").text == "fine")
    }

    @Test func `a large answer leaves as the client's windows open`() {
        let text = String(repeating: "0123456789", count: 20_000)
        let server = SimulatedServer.http2(fetch: { _ in .response(.ok, text) })
        let client = HTTP2Peer(server, window: 1_000)
        let stream = client.ask()
        #expect(client[stream].body.count == 1_000)
        client.say(Frames.windowUpdate(stream, 50_000))
        #expect(client[stream].body.count == 51_000)
        client.say(Frames.windowUpdate(stream, 1 << 20))
        #expect(client[stream].text == text && client[stream].isWhole)
    }

    @Test func `a client that reads slowly is waited for, and what it asks meanwhile is answered behind it`() {
        let text = String(repeating: "0123456789", count: 100_000)
        let server = SimulatedServer.http2(fetch: { request in .response(.ok, request.path == "/" ? text : "small") })
        let client = HTTP2Peer(server)
        client.peer.window = 10_000
        let (large, small) = (client.ask(HTTP2Peer.fields("GET", "/")), client.ask())
        #expect(client[large].body.count < 10_000)
        for _ in 0..<200 {
            client.peer.makeRoom(10_000)
            server.advance(.milliseconds(10))
        }
        #expect(client[large].text == text && client[large].isWhole)
        #expect(client[small].text == "small")
    }

    @Test func `a topic's events stream to many clients of one connection`() {
        let server = SimulatedServer.http2(fetch: { _ in .events(of: "news") })
        let client = HTTP2Peer(server)
        let streams = (0..<3).map { _ in client.ask() }
        server.server.publish("hello", to: "news")
        server.rest()
        for stream in streams {
            #expect(client[stream].text.contains("data: hello\n"))
            #expect(client[stream].fields.contains("content-type: text/event-stream"))
            #expect(!client[stream].isWhole)
        }
        client.say(Frames.reset(streams[0]))
        server.server.publish("again", to: "news")
        server.rest()
        #expect(!client[streams[0]].text.contains("again") && client[streams[1]].text.contains("again"))
    }

    @Test func `an error of a handler is answered 500, a head that is too large 431, another protocol 501`() {
        struct Broken: Error {}
        let server = SimulatedServer.http2(fetch: { _ in throw Broken() })
        let client = HTTP2Peer(server)
        #expect(client.get("/").status == ":status: 500")
        let large = client.ask(HTTP2Peer.fields("GET", "/", [("x", String(repeating: "y", count: 16_300))]))
        #expect(client[large].status == ":status: 431")
        let other = client.ask(
            [(":method", "CONNECT"), (":protocol", "other")] + HTTP2Peer.fields("GET", "/").dropFirst(),
            hasBody: true)
        #expect(client[other].status == ":status: 501" && client[other].reset == 0)
    }

    @Test func `a connection that asks for nothing is left after a while, one with a stream is not`() {
        let gate = Gate()
        let server = SimulatedServer.http2(fetch: { _ in
            .deferred(within: .seconds(3_600)) {
                _ = await gate.wait()
                return .response(.ok)
            }
        })
        let (idle, busy) = (HTTP2Peer(server), HTTP2Peer(server))
        let stream = busy.ask()
        server.advance(.seconds(12))
        #expect(idle.goodbye == 0 && idle.peer.hasSeenEnd)
        #expect(busy.goodbye == nil)
        gate.open()
        server.rest()
        #expect(busy[stream].isWhole)
        server.advance(.seconds(12))
        #expect(busy.goodbye == 0 && busy.peer.hasSeenEnd)
    }

    @Test func `a server that stops finishes what is under way, and takes nothing new`() {
        let gate = Gate()
        let server = SimulatedServer.http2(fetch: { _ in
            .deferred {
                _ = await gate.wait()
                return .response(.ok, "done")
            }
        })
        let client = HTTP2Peer(server)
        let stream = client.ask()
        server.stop(within: .zero, deadline: .seconds(5))
        #expect(client.goodbye == 0)
        let late = client.ask()
        gate.open()
        server.rest()
        #expect(client[stream].text == "done" && client[stream].isWhole)
        #expect(client[late].heads.isEmpty)
        #expect(client.peer.hasSeenEnd)
    }

    @Test func `a connection over the bounds is refused request by request`() {
        let server = SimulatedServer.http2({ $0.limits.connections = 1 }, fetch: Self.echo)
        let first = HTTP2Peer(server)
        #expect(first.get("/").status == ":status: 200")
        let second = server.connect()
        #expect(String(decoding: second.receivedBytes, as: UTF8.self).hasPrefix("HTTP/1.1 503"))
    }

    @Test func `the other end of a stream is that of its connection`() {
        let server = SimulatedServer.http2(fetch: { request in
            .response(.ok, "\(request.remoteAddress?.description ?? "nobody") \(request.isSecure)")
        })
        let client = HTTP2Peer(server)
        client.peer.address = SocketAddress(ipAddress: "192.0.2.7", port: 99)
        #expect(client.get("/").text == "192.0.2.7:99 false")
    }
}
