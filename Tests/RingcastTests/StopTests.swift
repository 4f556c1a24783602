import Reactor
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// The end of a server in virtual time.
@Suite struct StopTests {
    private static let echo = WebSocketHandlers<Void>(
        options: .init(closeTimeout: .seconds(5)), message: { ws, message in ws.send(message) })

    @Test func `sockets are closed one after the other over the window`() {
        let server = SimulatedServer(Self.echo)
        let sockets = (0..<100).map { _ in server.open() }
        server.stop(.serviceRestart, within: .seconds(10), deadline: .seconds(5))
        var closed: [Int] = []
        for _ in 0..<10 {
            server.advance(.seconds(1))
            closed.append(
                sockets.count { socket in
                    guard let frame = socket.frames().first else { return false }
                    #expect(frame.closeCode == 1012)
                    socket.send(.close, [3, 244])
                    return true
                })
        }
        #expect(closed.reduce(0, +) == 100)
        #expect(closed.allSatisfy { (7...13).contains($0) }, "\(closed)")
        server.advance(.seconds(3))
        #expect(server.simulation.loop.hasEnded, "before the deadline, since all have answered")
    }

    @Test func `a socket is served until its turn to be closed`() {
        let server = SimulatedServer(Self.echo)
        let sockets = (0..<10).map { _ in server.open() }
        server.stop(within: .seconds(10), deadline: .seconds(5))
        sockets[9].send("still")
        #expect(sockets[9].frames().map(\.text) == ["still"])
    }

    @Test func `a slow reader has until the deadline, gets all that was queued and its 1001`() {
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .zero, closeTimeout: .seconds(1)),
            open: { ws in ws.send([UInt8](repeating: 7, count: 50_000)) })
        let server = SimulatedServer(handlers)
        let (slow, deaf) = (server.open(window: 1_000), server.open(window: 1_000))
        server.stop(within: .zero, deadline: .seconds(60))
        for _ in 0..<55 {
            server.advance(.milliseconds(900))
            slow.peer.makeRoom(1_000)
        }
        #expect(deaf.peer.isClosed, "its close time was over long ago")
        let frames = slow.frames()
        #expect(frames.map(\.opcode) == [.binary, .close] && frames.first?.payload.count == 50_000)
        #expect(frames.last?.closeCode == 1001)
        server.advance(.seconds(3))
        #expect(server.simulation.loop.hasEnded)
    }

    @Test func `at the deadline everything is cut, whatever it is doing`() {
        let server = SimulatedServer(
            fetch: { request in
                request.path == "/ws"
                    ? .upgrade(to: Self.echo)
                    : .deferred {
                        try await Task.sleep(for: .seconds(600))
                        return .response(.ok)
                    }
            })
        let (idle, asking, silent) = (server.connect(), server.connect(), server.connect())
        asking.send(Array("GET / HTTP/1.1\r\nHost: t\r\n\r\n".utf8))
        idle.send(Array("GET / HT".utf8))
        server.rest()
        server.stop(within: .seconds(2), deadline: .seconds(3))
        server.advance(.milliseconds(1_128))
        #expect(silent.hasSeenEnd, "it has had its second to ask")
        #expect(!idle.isClosed && !asking.isClosed)
        server.advance(.milliseconds(3_800))
        #expect(!idle.isClosed && !asking.isClosed)
        server.advance(.milliseconds(200))
        #expect(idle.isClosed && asking.isClosed)
        server.advance(.seconds(3))
        #expect(server.simulation.loop.hasEnded)
    }

    @Test func `a client that had just connected is answered, an upgrade gets 503`() {
        let server = SimulatedServer(Self.echo)
        let peers = (server.connect(), server.connect())
        server.stop(within: .seconds(2), deadline: .seconds(3))
        server.advance(.milliseconds(500))
        peers.0.send(Array(SocketClient.request().utf8))
        server.rest()
        #expect(String(decoding: peers.0.receivedBytes, as: UTF8.self).hasPrefix("HTTP/1.1 503"))
        #expect(peers.0.hasSeenEnd)
        server.advance(.milliseconds(700))
        #expect(peers.1.receivedBytes == [] && peers.1.hasSeenEnd)
    }
}
