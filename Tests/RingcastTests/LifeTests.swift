import Reactor
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// What counts as life beside what comes in.
@Suite(.endingAll) struct LifeTests {
    @Test(arguments: [true, false])
    func `a peer that takes what waits for it lives, also behind a backlog, and one that takes nothing does not`(
        sendsPings: Bool
    ) {
        let journal = Journal<String>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: .seconds(10), sendPings: sendsPings, writeStallTimeout: .zero),
                open: { ws in for _ in 0..<100 { ws.send([UInt8](repeating: 1, count: 60_000)) } },
                close: { ws, code, _ in journal.note("\(code.rawValue)") }))
        let (reader, deaf) = (server.open(window: 1_000), server.open(window: 1_000))
        deaf.peer.untakenByteCount = 1_000
        for second in 0..<60 {
            server.advance(.seconds(1))
            reader.peer.makeRoom(50_000)
            reader.peer.untakenByteCount = second & 1
        }
        #expect(journal.entries == ["1001"] && !reader.peer.isClosed)
        #expect(deaf.peer.hasSeenEnd || deaf.peer.isClosed || journal.entries.count == 1)
    }

    @Test func `bytes that the kernel still holds for it count as they are taken`() {
        let journal = Journal<String>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: .seconds(8)), message: { _, _ in },
                close: { _, code, _ in journal.note("\(code.rawValue)") }))
        let (reader, deaf) = (server.open(), server.open())
        for peer in [reader.peer, deaf.peer] { peer.untakenByteCount = 1_000_000 }
        for _ in 0..<30 {
            server.advance(.seconds(1))
            reader.peer.untakenByteCount -= 30_000
        }
        #expect(journal.entries == ["1001"] && !reader.peer.hasSeenEnd && deaf.peer.hasSeenEnd)
    }

    @Test func `an asynchronous handler at work is life, and the idle time begins behind it`() {
        let journal = Journal<String>()
        let held = Journal<Bool>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .seconds(10)),
            asyncMessage: { _, _ in while held.entries.isEmpty { await Task.yield() } },
            close: { _, code, _ in journal.note("\(code.rawValue)") })
        let server = SimulatedServer(handlers)
        let socket = server.open()
        socket.peer.send(SocketClient.encode(.text, [1]))
        server.simulation.turn(5)
        // The handler yields for ever, so that the loop does not come to rest.
        for _ in 0..<600 {
            server.simulation.clock.advance(100)
            server.simulation.turn(2)
        }
        #expect(journal.entries == [])
        held.note(true)
        server.rest()
        server.advance(.seconds(9))
        #expect(journal.entries == [])
        server.advance(.milliseconds(1_256))
        #expect(journal.entries == ["1001"])
    }

    @Test func `nobody who sends all the while is closed for a handler that blocks`() {
        let journal = Journal<String>()
        let sockets = Journal<Int>()
        final class Pause { var block: () -> Void = {} }
        nonisolated(unsafe) let pause = Pause()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: .seconds(2)),
                message: { _, message in
                    sockets.note(message.byteCount)
                    if message.string == "block" { unsafe pause.block() }
                },
                close: { _, code, _ in journal.note("\(code.rawValue)") }))
        server.simulation.driver.options.completionLimit = 20
        let peers = (0..<50).map { _ in server.open() }
        let clock = server.simulation.clock
        unsafe pause.block = {
            for _ in 0..<8 {
                clock.advance(500)
                for socket in peers { socket.peer.send(SocketClient.encode(.text, [1])) }
            }
        }
        peers[7].send("block")
        server.advance(.milliseconds(1_000))
        #expect(journal.entries == [] && sockets.entries.count == 401)
        server.advance(.seconds(3))
        #expect(journal.entries.count == 50, "silence is judged again from then on")
    }
}
