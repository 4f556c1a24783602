import Logging
import Reactor
import ReactorTesting
import SimulatedKernel
import Testing

@testable import Ringcast

/// A line of the log says whom it is about, and peers cannot fill the log.
@Suite(.endingAll) struct LogMetadataTests {
    private struct Oops: Error {}

    @Test func `a line about a socket has its id, the other end and the path, at any time`() throws {
        let (log, ids) = (LogRecorder(), Journal<String>())
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ids.note(ws.id) }, message: { ws, _ in throw Oops() })
        let server = SimulatedServer(handlers) { $0.logger = log.logger() }
        let first = server.open(path: "/rooms/1?token=secret")
        server.open(path: "/rooms/2").send("go")
        first.send("go")
        #expect(log.lines == ["error: a WebSocket handler threw: Oops()"])
        let metadata = try #require(log.metadata.first)
        #expect(metadata["socket"] == ids.entries[1] && metadata["path"] == "/rooms/2")
        server.advance(.milliseconds(1_128))
        #expect(log.lines.dropFirst() == ["error: 1 more like this within a second: a WebSocket handler threw: Oops()"])
    }

    @Test func `what fetch throws is logged once a second, with the connection and the path`() throws {
        let log = LogRecorder()
        let server = SimulatedServer({ $0.logger = log.logger() }, fetch: { _ in throw Oops() })
        let peer = server.connect()
        for number in 0..<5 { peer.send(Array("GET /a/\(number)?x HTTP/1.1\r\nHost: h\r\n\r\n".utf8)) }
        server.rest()
        #expect(log.lines == ["error: fetch threw: Oops()"])
        let metadata = try #require(log.metadata.first)
        #expect(metadata["path"] == "/a/0" && metadata["connection"] == "0:0:0" && metadata["socket"] == nil)
        server.advance(.milliseconds(1_128))
        #expect(log.lines.dropFirst() == ["error: 4 more like this within a second: fetch threw: Oops()"])
    }

    @Test func `the other end is told, of a socket and of a connection`() async throws {
        let log = LogRecorder()
        let handlers = WebSocketHandlers<Void>(message: { _, _ in throw Oops() })
        try await serving({ $0.logger = log.logger() }) { request in
            if request.path == "/throws" { throw Oops() }
            return .upgrade(to: handlers)
        } body: { server in
            let (client, socket) = (try TCPClient(port: server.port), try SocketClient(port: server.port))
            _ = try client.get("/throws")
            try socket.send("go")
            // Who has gone has no address any more.
            let about = { log.metadata.filter { !$0.isEmpty } }
            withExtendedLifetime(socket) { #expect(eventually { about().count == 2 }) }
            for metadata in about() { #expect(metadata["remote"]?.hasPrefix("127.0.0.1:") == true) }
        }
    }

    @Test func `a reply that cannot be sent is told of with its path`() throws {
        let log = LogRecorder()
        let server = SimulatedServer({ $0.logger = log.logger() }, fetch: { _ in .response(.continue) })
        let peer = server.connect()
        peer.send(Array("GET /early HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
        server.rest()
        #expect(String(decoding: peer.takeReceivedBytes(), as: UTF8.self).hasPrefix("HTTP/1.1 500"))
        #expect(log.lines.first?.hasPrefix("error: a response cannot be sent") == true)
        #expect(log.metadata.first?["path"] == "/early")
    }

    @Test func `a path is forgotten with its last socket`() {
        let server = SimulatedServer(WebSocketHandlers<Void>(message: { _, _ in }))
        let loop = server.loops[0].loop.installedHandler as? SocketLoop
        let sockets = [server.open(path: "/a"), server.open(path: "/a"), server.open(path: "/b")]
        #expect(loop?.paths.count == 2)
        for socket in sockets { socket.send(.close, [3, 232]) }
        #expect(loop?.paths.count == 0)
    }
}
