import HTTP2Testing
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// WebSockets on streams of HTTP/2 (RFC 8441), on simulated connections: the same sockets as over HTTP/1.1.
@Suite(.endingAll) struct HTTP2SocketTests {
    private static func server(
        _ handlers: WebSocketHandlers<Void>, _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) -> SimulatedServer {
        SimulatedServer.http2(change, fetch: { _ in .upgrade(to: handlers) })
    }

    private static let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })

    @Test func `clients are told that they may open sockets, unless they may not`() {
        for isAllowed in [true, false] {
            let server = Self.server(Self.echo) { $0.http2?.webSockets = isAllowed }
            let client = HTTP2Peer(server)
            client.collect()
            let settings = client.frames.first { $0.kind == Frames.Kind.settings.rawValue && $0.flags == 0 }
            let bytes = settings?.payload ?? []
            let pairs = stride(from: 0, to: bytes.count, by: 6).map { Array(bytes[$0..<$0 + 6]) }
            #expect(pairs.contains(Frames.setting(8, 1)) == isAllowed)
        }
    }

    @Test func `an extended CONNECT becomes a socket that echoes`() {
        let client = HTTP2Peer(Self.server(Self.echo))
        let stream = client.open()
        #expect(client[stream].status == ":status: 200")
        #expect(!client[stream].fields.contains { $0.hasPrefix("sec-websocket") })
        client.send("hello", on: stream)
        #expect(client.texts(stream) == ["hello"])
        client.send(.ping, [1, 2], on: stream)
        #expect(client.socketFrames(stream).map(\.opcode) == [.pong])
    }

    @Test func `a socket's open handler sends behind the answer`() {
        let handlers = WebSocketHandlers<Void>(open: { ws in ws.send("welcome") })
        let client = HTTP2Peer(Self.server(handlers))
        let stream = client.open()
        #expect(client[stream].status == ":status: 200" && client.texts(stream) == ["welcome"])
    }

    @Test func `frames may follow the request at once`() {
        let client = HTTP2Peer(Self.server(Self.echo))
        let stream = client.takeStream()
        client.say(
            Frames.request(stream, HTTP2Peer.webSocket(), hasBody: true)
                + Frames.data(stream, SocketClient.encode(.text, Array("early".utf8))))
        #expect(client.texts(stream) == ["early"])
    }

    @Test func `a subprotocol and compression are agreed on`() {
        let handlers = WebSocketHandlers<Void>(
            options: .init(perMessageDeflate: true), open: { ws in ws.send(ws.subprotocol ?? "none") })
        let client = HTTP2Peer(Self.server(handlers) { $0.subprotocols = ["b", "a"] })
        let stream = client.open(
            "/", [("sec-websocket-protocol", "a"), ("sec-websocket-extensions", "permessage-deflate")])
        #expect(client[stream].fields.contains("sec-websocket-protocol: a"))
        #expect(client[stream].fields.contains { $0.hasPrefix("sec-websocket-extensions: permessage-deflate") })
    }

    @Test func `what is no socket's request is refused as over HTTP 1`() {
        let server = Self.server(Self.echo)
        let client = HTTP2Peer(server)
        let foreign = client.open("/", [("origin", "http://evil.example")])
        #expect(client[foreign].status == ":status: 403" && client[foreign].isWhole)
        let plain = client.get("/")
        #expect(plain.status == ":status: 426" && !plain.fields.contains { $0.hasPrefix("upgrade") })
        let old = client.ask(
            HTTP2Peer.webSocket().filter { $0.0 != "sec-websocket-version" } + [("sec-websocket-version", "8")],
            hasBody: true)
        #expect(client[old].status == ":status: 426")
        #expect(server.core.counters[0].events.refusedUpgrades[.origin] == 1)
    }

    @Test func `a close goes both ways, and ends the stream in good order`() {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            message: { ws, _ in ws.close(.normalClosure, reason: "bye") },
            close: { _, code, reason in journal.note("\(code.rawValue) \(reason)") })
        let client = HTTP2Peer(Self.server(handlers))
        let (first, second) = (client.open(), client.open())
        client.send(.close, [0x03, 0xE9], on: first)
        #expect(journal.entries == ["1001 "])
        #expect(client.socketFrames(first).map(\.opcode) == [.close])
        #expect(client[first].isWhole && client[first].reset == nil)
        client.say(Frames.data(first, "", isLast: true))
        client.send("end", on: second)
        #expect(client.socketFrames(second).map(\.payload) == [[0x03, 0xE8] + Array("bye".utf8)])
        #expect(!client[second].isWhole && journal.entries.count == 1)
        client.send(.close, [0x03, 0xE8], on: second)
        #expect(journal.entries.count == 2 && client[second].isWhole)
        client.say(Frames.data(second, "", isLast: true))
        #expect(client[second].reset == nil)
    }

    @Test func `a socket whose client does not end its stream behind the Close is reset in the end`() {
        let server = Self.server(Self.echo)
        let client = HTTP2Peer(server)
        let stream = client.open()
        client.send(.close, [0x03, 0xE8], on: stream)
        #expect(client[stream].isWhole && client[stream].reset == nil)
        server.advance(.seconds(3))
        #expect(client[stream].reset == 0)
        #expect(server.simulation.loop.connectionCount == 1)
    }

    @Test(arguments: ["end", "reset", "connection"])
    func `a socket whose client goes without a Close ends with 1006`(way: String) {
        let journal = Journal<UInt16>()
        let handlers = WebSocketHandlers<Void>(close: { _, code, _ in journal.note(code.rawValue) })
        let server = Self.server(handlers)
        let client = HTTP2Peer(server)
        let streams = [client.open(), client.open()]
        switch way {
        case "end": client.say(Frames.data(streams[0], "", isLast: true))
        case "reset": client.say(Frames.reset(streams[0]))
        default:
            client.peer.reset()
            server.rest()
        }
        #expect(journal.entries == (way == "connection" ? [1006, 1006] : [1006]))
        if way == "end" { #expect(client[streams[0]].isWhole) }
    }

    @Test func `a socket that is terminated is reset`() {
        let handlers = WebSocketHandlers<Void>(message: { ws, _ in ws.terminate() })
        let server = Self.server(handlers)
        let client = HTTP2Peer(server)
        let (stream, other) = (client.open(), client.open())
        client.send("x", on: stream)
        #expect(client[stream].reset == 8 && client[other].reset == nil)
        #expect(server.server.pendingWebSockets == 1)
    }

    @Test func `what breaks WebSocket's rules ends its stream only`() {
        let client = HTTP2Peer(Self.server(Self.echo))
        let (stream, other) = (client.open(), client.open())
        client.say(Frames.data(stream, [0xC1, 0x80, 0, 0, 0, 0]))
        #expect(client.socketFrames(stream).map { Array($0.payload.prefix(2)) } == [[0x03, 0xEA]])
        #expect(client[stream].isWhole)
        client.send("on", on: other)
        #expect(client.texts(other) == ["on"])
    }

    @Test func `a large message goes through small windows, both ways`() {
        let server = Self.server(Self.echo)
        let client = HTTP2Peer(server, window: 1_000)
        let stream = client.open()
        let payload = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let frame = SocketClient.encode(.binary, payload)
        // The server's window of a stream is 65,535 bytes, of which no more than was given is used.
        var (position, credit) = (0, 65_535)
        while position < frame.count {
            let count = min(5_000, frame.count - position, credit - position)
            #expect(count > 0, "the window opens as the socket reads")
            client.say(Frames.data(stream, Array(frame[position..<position + count])))
            position += count
            credit = 65_535 + client[stream].credit
        }
        #expect(client[stream].body.count == 1_000)
        while client[stream].body.count < 300_000 { client.say(Frames.windowUpdate(stream, 7_777)) }
        client.say(Frames.windowUpdate(stream, 7_777))
        #expect(client.socketFrames(stream).map(\.payload) == [payload])
    }

    @Test func `a publish to a hundred sockets of a connection is one send`() {
        let handlers = WebSocketHandlers<Void>(open: { ws in ws.subscribe(to: "news") })
        let server = Self.server(handlers)
        let client = HTTP2Peer(server)
        let streams = (0..<100).map { _ in client.open() }
        let statistics = server.simulation.loop.statistics
        for text in ["short", String(repeating: "long", count: 2_000)] {
            let sends = statistics.sendSubmissions.value
            server.server.publish(text, to: "news")
            server.rest()
            #expect(statistics.sendSubmissions.value - sends <= (text.count < 10 ? 1 : 4))
            for stream in streams { #expect(client.texts(stream) == [text]) }
        }
    }

    @Test func `a socket is behind while its window is closed, and drains when it opens`() {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            message: { ws, message in
                if case .backpressure = ws.send(String(repeating: "x", count: 5_000)) { journal.note("behind") }
                if case .backpressure = ws.send("y") { journal.note("still") }
            }, drain: { _ in journal.note("drained") })
        let server = Self.server(handlers)
        let client = HTTP2Peer(server, window: 1_000)
        let (slow, other) = (client.open(), client.open())
        client.send("go", on: slow)
        client.send("go", on: slow)
        #expect(journal.entries == ["behind", "still"])
        client.say(Frames.windowUpdate(slow, 5_000))
        #expect(journal.entries == ["behind", "still"])
        client.say(Frames.windowUpdate(slow, 50_000))
        #expect(journal.entries == ["behind", "still", "drained"])
        client.send("go", on: other)
        #expect(journal.entries.count == 3)
        #expect(client.texts(slow).count == 4)
    }

    @Test func `a socket that is paused closes its window, and no other one's`() {
        let journal = Journal<Int>()
        let sockets = Journal<WebSocketRef<Void>>()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in sockets.note(ws.reference) },
            message: { ws, message in
                journal.note(message.byteCount)
                if message.byteCount == 1 { ws.pause() }
            })
        let server = Self.server(handlers)
        let client = HTTP2Peer(server)
        let (paused, other) = (client.open(), client.open())
        client.send(.binary, [0], on: paused)
        let taken = client[paused].credit
        for _ in 0..<4 { client.send(.binary, [UInt8](repeating: 0, count: 15_000), on: paused) }
        #expect(journal.entries == [1] && client[paused].credit == taken)
        for _ in 0..<8 { client.send(.binary, [UInt8](repeating: 0, count: 15_000), on: other) }
        let sizes = [1] + [Int](repeating: 15_000, count: 8)
        #expect(journal.entries == sizes && client[other].credit > 60_000)
        sockets.entries.first?.resume()
        server.rest()
        #expect(journal.entries.count == 13 && client[paused].credit > 30_000)
    }

    @Test func `a socket lives as others: idle ones are asked, and left when they do not answer`() {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .seconds(30)),
            close: { _, code, reason in journal.note("\(code.rawValue) \(reason)") })
        let server = Self.server(handlers)
        let client = HTTP2Peer(server)
        let stream = client.open()
        server.advance(.seconds(29))
        #expect(client.socketFrames(stream).map(\.opcode) == [.ping])
        server.advance(.seconds(3))
        #expect(journal.entries == ["1001 idle timeout"])
        #expect(client.socketFrames(stream).map(\.opcode) == [.close] && client[stream].isWhole)
    }

    @Test func `a server that stops closes its sockets, and the connection behind them`() {
        let server = Self.server(Self.echo)
        let client = HTTP2Peer(server)
        let streams = [client.open(), client.open()]
        server.stop(within: .zero, deadline: .seconds(5))
        for stream in streams {
            #expect(client.socketFrames(stream).map { Array($0.payload.prefix(2)) } == [[0x03, 0xE9]])
            client.send(.close, [0x03, 0xE9], on: stream)
            client.say(Frames.data(stream, "", isLast: true))
        }
        #expect(client.goodbye == 0)
        server.advance(.seconds(1))
        #expect(client.peer.hasSeenEnd)
    }
}
