import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Which codes a socket is closed with, and which its handler hears of.
@Suite(.endingAll) struct CloseCodeTests {
    /// Two sockets; when one closes, its code is handed to the other.
    private static func relaying(_ journal: Journal<String>, _ held: Journal<WebSocketRef<Void>>)
        -> WebSocketHandlers<Void>
    {
        WebSocketHandlers(
            options: .init(idleTimeout: .zero),
            open: { ws in held.note(ws.reference) },
            close: { ws, code, _ in
                journal.note("\(code.rawValue)")
                for other in held.entries where other != ws.reference { other.close(code) }
            })
    }

    @Test(arguments: [(nil, [], true), (4_001, [15, 161], true), (1006, nil, false)] as [(UInt16?, [UInt8]?, Bool)])
    func `a close handler may hand what it was given to another socket`(
        sent: UInt16?, arrives: [UInt8]?, closes: Bool
    ) {
        let (journal, held) = (Journal<String>(), Journal<WebSocketRef<Void>>())
        let server = SimulatedServer(Self.relaying(journal, held))
        let (first, other) = (server.open(), server.open())
        if closes {
            first.send(.close, sent.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? [])
        } else {
            first.peer.reset()
            server.rest()
        }
        #expect(other.frames().first?.payload == arrives)
        #expect(journal.entries.first == "\(sent ?? 1005)")
        if arrives == nil { #expect(other.peer.isClosed && journal.entries == ["1006", "1006"]) }
    }

    @Test(
        arguments: [(1005, []), (1004, [3, 232]), (0, [3, 232]), (5_000, [3, 232]), (1015, nil), (1006, nil)]
            as [(UInt16, [UInt8]?)])
    func `every code can be given, to a socket, a reference and a stop`(code: UInt16, arrives: [UInt8]?) {
        let (log, held) = (LogRecorder(), Journal<WebSocketRef<Void>>())
        let code = CloseCode(rawValue: code)
        let handlers = WebSocketHandlers<Void>(
            open: { ws in held.note(ws.reference) }, message: { ws, _ in ws.close(code, reason: "x") })
        let server = SimulatedServer(handlers) { $0.logger = log.logger() }
        let sockets = (0..<3).map { _ in server.open() }
        sockets[0].send("close")
        #expect(sockets[0].frames().first?.payload.prefix(2) == arrives?.prefix(2))
        server.simulation.turn()
        server.simulation.loop.executor.execute { held.entries[1].close(code) }
        server.rest()
        #expect(sockets[1].frames().first?.payload == arrives)
        server.stop(code, within: .zero, deadline: .seconds(1))
        #expect(sockets[2].frames().first?.payload == arrives)
        #expect(log.lines.filter { $0.contains("cannot be sent") }.count == (arrives == [3, 232] ? 1 : 0))
    }

    @Test func `a long ping is cut to 125 bytes, and logged`() {
        let log = LogRecorder()
        let handlers = WebSocketHandlers<Void>(message: { ws, _ in
            ws.ping([UInt8](repeating: 1, count: 126))
            ws.pong(String(repeating: "x", count: 1_000))
            ws.ping([UInt8](repeating: 2, count: 125))
        })
        let server = SimulatedServer(handlers) { $0.logger = log.logger() }
        let socket = server.open()
        socket.send("go")
        #expect(socket.frames().map(\.payload.count) == [125, 125, 125])
        #expect(log.lines == ["warning: a ping or pong of 126 bytes was cut to 125"])
        server.advance(.milliseconds(1_128))
        #expect(log.lines.count == 2 && log.lines[1].hasPrefix("warning: 1 more like this within a second"))
    }

    @Test(arguments: [false, true])
    func `the handler hears the code that the server itself has sent, whatever the peer answers`(answers: Bool) {
        struct Oops: Error {}
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 1_000, closeOnBackpressureLimit: true, idleTimeout: .zero),
            message: { ws, message in
                if message.string == "throw" { throw Oops() }
                for _ in 0..<2 { ws.send([UInt8](repeating: 1, count: 2_000)) }
            },
            close: { _, code, _ in journal.note("\(code.rawValue)") })
        let server = SimulatedServer(handlers)
        for text in ["throw", "flood"] {
            let socket = server.open()
            socket.send(text)
            if answers { socket.send(.close, [3, 232]) } else { socket.peer.end() }
            server.rest()
        }
        let stopped = server.open()
        server.stop(.serviceRestart, within: .zero, deadline: .seconds(1))
        if answers { stopped.send(.close, [3, 232]) }
        server.advance(.seconds(2))
        #expect(journal.entries == ["1011", "1013", "1012"])
    }

    @Test func `so it does the code of a violation, of too much, and of silence`() {
        let journal = Journal<UInt16>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(maxPayloadLength: 100, idleTimeout: .seconds(8), sendPings: false, maxControlFrames: 3),
            message: { _, _ in }, close: { _, code, _ in journal.note(code.rawValue) })
        let server = SimulatedServer(handlers)
        for bytes in [
            // A control frame in parts (RFC 6455 §5.5).
            SocketClient.encode(.ping, [], isFinal: false),
            SocketClient.encode(.text, [0xFF]),
            SocketClient.encode(.binary, [UInt8](repeating: 1, count: 101)),
            (0..<4).flatMap { SocketClient.encode(.ping, [$0]) },
        ] {
            server.open().peer.send(bytes)
            server.rest()
        }
        #expect(journal.entries == [1002, 1007, 1009, 1008])
        _ = server.open()
        server.advance(.seconds(9))
        #expect(journal.entries.dropFirst(4) == [1001])
    }

    @Test func `a socket that is terminated ends with 1006, whatever its peer has said in that turn`() {
        let (journal, held) = (Journal<String>(), Journal<WebSocketRef<Void>>())
        let handlers = WebSocketHandlers<Void>(
            open: { ws in held.note(ws.reference) }, message: { _, _ in held.entries[1].terminate() },
            close: { _, code, _ in journal.note("\(code.rawValue)") })
        let server = SimulatedServer(handlers)
        let (first, other) = (server.open(), server.open())
        first.peer.send(SocketClient.encode(.text, [1]))
        other.peer.send(SocketClient.encode(.close, [3, 232]))
        server.rest()
        #expect(journal.entries == ["1006"])
        #expect(other.frames() == [] && other.peer.isClosed)
    }

    @Test func `what handlers throw is logged at error, once a second, with how many were left out`() {
        struct Oops: Error {}
        let log = LogRecorder()
        let handlers = WebSocketHandlers<Void>(options: .init(idleTimeout: .zero), message: { _, _ in throw Oops() })
        let server = SimulatedServer(handlers) { $0.logger = log.logger() }
        for _ in 0..<100 { server.open().send("go") }
        #expect(log.lines == ["error: a WebSocket handler threw: Oops()"])
        server.advance(.milliseconds(1_128))
        #expect(
            log.lines.dropFirst() == ["error: 99 more like this within a second: a WebSocket handler threw: Oops()"])
        server.advance(.seconds(60))
        server.open().send("go")
        #expect(log.lines.count == 3)
    }
}
