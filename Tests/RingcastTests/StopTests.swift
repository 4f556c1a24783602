import Reactor
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// The end of a server in virtual time.
@Suite(.endingAll) struct StopTests {
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

    /// A message goes to its topic's home, and from there to its subscribers: two steps, which the Close must not
    /// overtake. The third is that of a reference, which publishes through the loop of its socket.
    @Test(arguments: [false, true], [false, true])
    func `what was published in total order before the stop comes before the Close`(
        byReference: Bool, hasStoppedAccepting: Bool
    ) throws {
        let topic = TotalOrderLoopTests.topic(at: 2, of: 4)
        let references = Journal<WebSocketRef<Void>>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .zero),
            open: { ws in
                ws.subscribe(to: Topic(topic))
                references.note(ws.reference)
            },
            message: { ws, message in
                // Of the socket on loop 1.
                if byReference { references.entries[0].publish(message, to: Topic(topic)) }
                if !byReference { ws.publish(message, to: Topic(topic)) }
            })
        let server = SimulatedServer(handlers, loops: 4) { $0.topics = [.matching("*", order: .total)] }
        let (other, reader, publisher) = (server.open(on: 1), server.open(on: 3), server.open(on: 0))
        if hasStoppedAccepting {
            // All have heard that long before the message is sent, and none may take it for a word behind that.
            for loop in server.loops { loop.ask { $0.stopAccepting() } }
            server.rest()
        }
        publisher.peer.send(SocketClient.encode(.text, Array("last".utf8)))
        server.loops[0].turn(2)
        server.core.stopPlan = StopPlan(
            code: .goingAway, reason: "", timing: StopTiming(window: .zero, deadline: .seconds(5)))
        _ = server.core.noteStop()
        for loop in server.loops { loop.ask { $0.stop() } }
        // The reader's loop first, and most often: it hears of the others' stages as early as it can.
        for _ in 0..<20 {
            for index in [3, 0, 3, 2, 3, 1, 3] { server.loops[index].turn() }
        }
        server.rest()
        #expect(reader.frames().map(\.opcode) == [.text, .close])
        #expect(other.frames().map(\.opcode) == (byReference ? [.close] : [.text, .close]))
    }

    @Test func `what close handlers publish in total order finds its home there, though that has no sockets left`() {
        let topic = TotalOrderLoopTests.topic(at: 1, of: 3)
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .zero),
            open: { ws in ws.subscribe(to: Topic(topic)) },
            close: { ws, _, _ in ws.publish("left", to: Topic(topic)) })
        let server = SimulatedServer(handlers, loops: 3) { $0.topics = [.matching("*", order: .total)] }
        let leaving = server.open(on: 0)
        // Half of the sockets of loop 2 stay for half of the window.
        let staying = (0..<2).map { _ in server.open(on: 2) }
        server.stop(within: .seconds(10), deadline: .seconds(5))
        #expect(!server.loops[1].loop.hasEnded, "the others may need it")
        #expect(leaving.frames().map(\.opcode) == [.close])
        leaving.send(.close, [3, 233])
        #expect(staying[1].frames().map(\.text) == ["left"])
        for _ in 0..<11 { server.advance(.seconds(1)) }
        for socket in staying { socket.send(.close, [3, 233]) }
        for _ in 0..<5 { server.advance(.seconds(1)) }
        #expect(server.loops.allSatisfy { $0.loop.hasEnded })
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
