import PubSub
import ReactorTesting
import Testing

@testable import Ringcast

/// Streams of server-sent events of a topic with history.
@Suite(.endingAll) struct EventResumeTests {
    private static func server(loops: Int = 2, compresses: Bool = false) -> SimulatedServer {
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .zero, publishToSelf: true, perMessageDeflate: compresses ? true : false),
            open: { ws in ws.subscribe(to: "news") }, message: { ws, message in ws.publish(message, to: "news") })
        return SimulatedServer(
            loops: loops, { $0.topics = [.matching("news", history: .init(messages: 4))] },
            fetch: { $0.isWebSocketUpgrade ? .upgrade(to: handlers) : .events(of: "news") })
    }

    private final class Reader {
        private let peer: SimulatedPeer
        private var parser = EventStreamParser()

        init(_ server: SimulatedServer, on loop: Int, after id: String? = nil) {
            peer = server.connect(on: loop)
            let field = id.map { "Last-Event-ID: \($0)\r\n" } ?? ""
            peer.send(Array("GET /news HTTP/1.1\r\nHost: t\r\n\(field)\r\n".utf8))
            server.rest()
            let answer = peer.takeReceivedBytes()
            let end = Array("\r\n\r\n".utf8)
            let start = answer.indices.first { answer[$0...].starts(with: end) } ?? answer.count
            parser.read(answer[start...].dropFirst(end.count))
        }

        func read() -> (texts: [String], id: String) {
            parser.read(peer.takeReceivedBytes())
            return (parser.events.map { $0.type == "message" ? $0.data : $0.type }, parser.lastID)
        }

        var ids: [String] {
            _ = read()
            return parser.ids
        }

        func leave() { peer.reset() }
    }

    @Test(arguments: 0..<2) func `a stream says positions, and goes on behind the one that is named`(loop: Int) throws {
        let server = Self.server()
        server.server.publish("before", to: "news")
        server.rest()
        let first = Reader(server, on: loop)
        let beginning = first.read()
        let epoch = try #require(server.server.position(of: "news")).epoch
        #expect(beginning.texts.isEmpty && beginning.id == "\(epoch).1", "to go on from, before anything has come")
        for text in ["a", "b"] { server.server.publish(text, to: "news") }
        server.rest()
        #expect(first.read() == (["a", "b"], "\(epoch).3"))
        first.leave()
        for text in ["c", "d"] { server.server.publish(text, to: "news") }
        server.rest()
        let second = Reader(server, on: 1 - loop, after: first.read().id)
        server.server.publish("e", to: "news")
        server.rest()
        #expect(second.read() == (["c", "d", "e"], "\(epoch).6"))
        let late = Reader(server, on: loop, after: "\(epoch).1")
        #expect(late.read() == (["gap"], "\(epoch).6"))
        #expect(Reader(server, on: loop, after: "nonsense").read() == ([], "\(epoch).6"))
    }

    /// Frames that are published in a row, or in compressed forms, reach a stream one by one.
    @Test(arguments: [false, true]) func `each event has its own position, whatever others get`(compresses: Bool) throws
    {
        let server = Self.server(compresses: compresses)
        // One of them is not on the topic's home loop, which all three come to in one turn.
        let readers = (0..<2).map { Reader(server, on: $0) }
        let socket = server.connect(on: 0)
        let fields = compresses ? ["Sec-WebSocket-Extensions: permessage-deflate"] : []
        var bytes = Array(SocketClient.request(fields: fields).utf8)
        for number in 0..<3 {
            bytes += SocketClient.encode(.text, Array(String(repeating: "\(number)", count: 2_000).utf8))
        }
        socket.send(bytes)
        server.rest()
        let epoch = try #require(server.server.position(of: "news")).epoch
        for reader in readers {
            #expect(reader.read() == ((0..<3).map { String(repeating: "\($0)", count: 2_000) }, "\(epoch).3"))
            #expect(reader.ids == (1...3).map { "\(epoch).\($0)" })
        }
        let length = socket.takeReceivedBytes().count
        #expect(compresses ? length < 1_000 : length > 6_000, "what the socket got: \(length) bytes")
    }
}
