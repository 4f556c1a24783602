import HTTP2Testing
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Known attacks on servers of HTTP/2, each by its name, against a whole server: `FloodTests` has their bounds.
@Suite(.endingAll) struct HTTP2AttackTests {
    private static let calm: UInt32 = 11

    private static func server(
        _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) -> SimulatedServer {
        let handlers = WebSocketHandlers<Void>(
            options: .init(writeStallTimeout: .seconds(5)),
            open: { ws in ws.send(String(repeating: "x", count: 100_000)) })
        return SimulatedServer.http2(
            change,
            fetch: { $0.isWebSocketUpgrade ? .upgrade(to: handlers) : .response(.ok, "fine") })
    }

    /// The server is rid of the client, and well.
    private func expectEnd(of client: HTTP2Peer, _ server: SimulatedServer, code: UInt32 = calm) {
        #expect(client.goodbye == code)
        #expect(client.peer.hasSeenEnd || client.peer.hasSeenReset)
        server.advance(.seconds(5))
        #expect(server.simulation.loop.connectionCount == 0)
        #expect(HTTP2Peer(server).get("/").text == "fine")
    }

    @Test func `rapid reset: requests that are reset at once end the connection, and none of them stays`() {
        let gate = Gate()
        let server = SimulatedServer.http2(fetch: { request in
            if request.path == "/" { return .response(.ok, "fine") }
            return .deferred {
                _ = await gate.wait()
                return .response(.ok)
            }
        })
        let client = HTTP2Peer(server)
        for _ in 0..<60 where client.goodbye == nil {
            client.say(
                (0..<10).flatMap { _ in
                    let stream = client.takeStream()
                    return Frames.request(stream) + Frames.reset(stream)
                })
            #expect(server.core.counters[0].load().pendingRequests == 0)
        }
        expectEnd(of: client, server)
    }

    @Test func `resets that the server is brought to count as well`() {
        let server = Self.server()
        let client = HTTP2Peer(server)
        for _ in 0..<60 where client.goodbye == nil {
            client.say(
                (0..<10).flatMap { _ in Frames.request(client.takeStream(), [(":method", "GET"), ("Upper", "x")]) })
        }
        expectEnd(of: client, server)
    }

    @Test func `continuation flood: a head in too many frames ends the connection`() {
        let server = Self.server()
        let client = HTTP2Peer(server)
        let stream = client.takeStream()
        client.say(Frames.frame(.headers, flags: 0x1, stream: stream, Frames.block(Frames.get)))
        for _ in 0..<20 where client.goodbye == nil {
            client.say(Frames.frame(.continuation, stream: stream, Frames.block([("a", "b")])))
        }
        expectEnd(of: client, server)
    }

    @Test(arguments: [Frames.Kind.settings, .ping, .priority, .unknown])
    func `settings, ping, priority floods and those of unknown frames end the connection`(kind: Frames.Kind) {
        let server = Self.server()
        let client = HTTP2Peer(server)
        let frame =
            switch kind {
            case .ping: Frames.frame(.ping, [UInt8](repeating: 0, count: 8))
            case .priority: Frames.frame(.priority, stream: 1, [0, 0, 0, 3, 1])
            default: Frames.frame(kind)
            }
        for _ in 0..<30 where client.goodbye == nil { client.say((0..<50).flatMap { _ in frame }) }
        expectEnd(of: client, server)
    }

    @Test func `header-list bomb: few bytes that name many kilobytes end the connection`() {
        let server = Self.server()
        let client = HTTP2Peer(server)
        let stream = client.takeStream()
        // A field of 4,000 bytes that is remembered (RFC 7541 §6.2.1), then named by one byte each.
        let field = [0x40] + Frames.text("x") + Frames.text(String(repeating: "y", count: 4_000))
        let block = Frames.block(Frames.get) + field + [UInt8](repeating: 0x80 | 62, count: 100)
        client.say(Frames.frame(.headers, flags: 0x5, stream: stream, block))
        expectEnd(of: client, server)
    }

    @Test func `zero-window stall: a client whose window stays closed loses the socket, and what waits for it`() {
        let server = Self.server()
        let client = HTTP2Peer(server, window: 0)
        let stream = client.open()
        let other = client.ask()
        #expect(client[stream].body.isEmpty)
        server.advance(.seconds(4))
        #expect(client[stream].reset == nil)
        #expect(client[other].reset == 2, "an answer waits as long as one does behind a FIN")
        server.advance(.seconds(3))
        #expect(client[stream].reset == 8 && server.simulation.loop.connectionCount == 1)
        server.advance(.seconds(20))
        #expect(server.simulation.loop.connectionCount == 0)
    }

    @Test func `a client that does not read at all is cut with all its streams`() {
        let server = Self.server()
        let client = HTTP2Peer(server)
        client.peer.window = 10
        for _ in 0..<5 { client.ask(HTTP2Peer.webSocket(), hasBody: true) }
        server.advance(.seconds(70))
        #expect(server.simulation.loop.connectionCount == 0 && server.server.pendingWebSockets == 0)
        #expect(client.peer.isClosed)
    }

    @Test func `streams beyond the bound are refused, and may be tried again`() {
        let gate = Gate()
        let server = SimulatedServer.http2(
            { $0.http2?.streams = 3 },
            fetch: { _ in
                .deferred {
                    _ = await gate.wait()
                    return .response(.ok, "fine")
                }
            })
        let client = HTTP2Peer(server)
        let streams = (0..<4).map { _ in client.takeStream() }
        client.say(streams.flatMap { Frames.request($0) })
        #expect(client[streams[3]].reset == 7)
        #expect(server.core.counters[0].load().pendingRequests == 3)
        for _ in 0..<3 {
            gate.open()
            server.rest()
        }
        #expect(streams.prefix(3).allSatisfy { client[$0].text == "fine" })
        let again = client.ask()
        gate.open()
        server.rest()
        #expect(client[again].text == "fine")
    }

    @Test func `a push of a client is refused`() {
        let server = Self.server()
        let client = HTTP2Peer(server)
        client.say(Frames.request(1, hasBody: true) + Frames.frame(.pushPromise, flags: 4, stream: 1, Frames.word(2)))
        expectEnd(of: client, server, code: 1)
    }

    @Test func `a request that smuggles another one in its fields is malformed`() {
        let server = Self.server()
        let client = HTTP2Peer(server)
        for fields in [
            [("transfer-encoding", "chunked")], [("connection", "close")], [("upgrade", "websocket")],
            [("x", "a\r\ny: b")], [("host", "other.example")],
        ] {
            let answer = client[client.ask(HTTP2Peer.fields("GET", "/", fields))]
            #expect(answer.reset == 1 && answer.heads.isEmpty, "\(fields)")
        }
        let split = client[client.ask(HTTP2Peer.fields("GET", "/ HTTP/1.1\r\nx: y"))]
        #expect(split.reset == 1)
        let longer = client.ask(HTTP2Peer.fields("POST", "/", [("content-length", "5")]), hasBody: true)
        client.say(Frames.data(longer, "0123456789", isLast: true))
        #expect(client[longer].reset == 1)
    }

    @Test func `what comes behind the end of a connection means nothing`() {
        let server = Self.server()
        let client = HTTP2Peer(server)
        client.say(Frames.frame(.data, stream: 0) + Frames.request(1))
        #expect(client[1].heads.isEmpty)
        expectEnd(of: client, server, code: 1)
    }
}
