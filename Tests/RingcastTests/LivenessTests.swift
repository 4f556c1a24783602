import Reactor
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// In virtual time: a deadline comes never early and less than 128 ms late.
@Suite(.endingAll) struct LivenessTests {
    private static let slack: UInt64 = 128

    /// Lets time pass until a frame of this kind comes; how long it took (ms).
    private func wait(for opcode: Opcode, on socket: SimulatedSocket, of server: SimulatedServer) -> UInt64 {
        let start = server.now
        while !socket.frames().contains(where: { $0.opcode == opcode }) {
            guard server.now - start < 100_000_000, !socket.peer.isClosed else { return .max }
            server.advance(.milliseconds(10))
        }
        return server.now - start
    }

    @Test(
        arguments: [
            (.seconds(120), 104_000), (.seconds(64), 48_000), (.seconds(40), 30_000), (.seconds(2), 1_500),
            (.seconds(86_400), 86_384_000),
        ] as [(Duration, UInt64)])
    func `a silent peer is pinged a quarter ahead of its time, at most 16 s, then closed with 1001`(
        idle: Duration, ping: UInt64
    ) {
        let journal = Journal<String>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: idle), close: { _, code, _ in journal.note("\(code.rawValue)") }))
        let socket = server.open()
        server.advance(.milliseconds(Int64(ping) - 1))
        #expect(socket.frames() == [])
        server.advance(.milliseconds(Int64(Self.slack) + 1))
        #expect(socket.frames() == [.init(opcode: .ping, payload: [])])
        let rest = idle.milliseconds - ping - Self.slack
        server.advance(.milliseconds(Int64(rest) - 1))
        #expect(socket.frames() == [] && journal.entries == [])
        server.advance(.milliseconds(Int64(Self.slack) + 1))
        let frames = socket.frames()
        #expect(frames.map(\.opcode) == [.close] && frames.first?.closeCode == 1001)
        #expect(journal.entries == ["1001"] && socket.peer.hasSeenEnd)
    }

    @Test func `a peer that answers its pings stays, and its round trip is known`() {
        let journal = Journal<Duration?>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: .seconds(40)), message: { ws, _ in journal.note(ws.roundTrip) }))
        let socket = server.open()
        socket.send("before the first")
        for _ in 0..<10 {
            #expect((30_000..<30_000 + Self.slack + 10).contains(wait(for: .ping, on: socket, of: server)))
            server.advance(.milliseconds(70))
            socket.send(.pong, [7])
            server.advance(.milliseconds(10))
            socket.send(.pong)
        }
        socket.send("now")
        #expect(journal.entries == [nil, .milliseconds(80)], "a pong nobody asked for is no answer")
    }

    @Test func `a loop that stood still pings before it closes, and the ping has its time`() {
        let server = SimulatedServer(
            WebSocketHandlers(options: .init(idleTimeout: .seconds(40)), message: { _, _ in }))
        let (well, dead) = (server.open(), server.open())
        server.simulation.clock.advance(100_000)
        server.rest()
        #expect(well.frames().map(\.opcode) == [.ping] && dead.frames().map(\.opcode) == [.ping])
        well.send(.pong)
        server.advance(.milliseconds(10_000 - Int64(Self.slack) - 1))
        #expect(dead.frames() == [])
        server.advance(.milliseconds(Int64(Self.slack) + 1))
        #expect(dead.frames().first?.closeCode == 1001 && dead.peer.hasSeenEnd)
        #expect(well.frames() == [] && !well.peer.hasSeenEnd)
    }

    @Test func `a liveness ping to a socket that is behind owes nobody a drain`() {
        let journal = Journal<String>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: .seconds(40)),
                open: { ws in journal.note("\(ws.send([UInt8](repeating: 1, count: 5_000)))") },
                message: { ws, _ in journal.note("\(ws.ping("asked"))") },
                drain: { _ in journal.note("drain") }))
        let socket = server.open(window: 1_000)
        server.advance(.milliseconds(30_200))
        socket.peer.makeRoom(1_000_000)
        server.rest()
        #expect(socket.frames().map(\.opcode) == [.binary, .ping])
        #expect(journal.entries == ["sent(bytes: 5000)"], "no backpressure was reported")
        // One that its user sends does.
        socket.peer.window = 1
        socket.send("go")
        socket.send("go")
        socket.peer.window = 1_000
        server.rest()
        #expect(journal.entries.suffix(3) == ["sent(bytes: 5)", "backpressure", "drain"])
        // And another liveness ping that waits brings it no second one.
        socket.peer.window = 0
        server.advance(.milliseconds(30_200))
        socket.peer.window = 1_000
        server.rest()
        #expect(journal.entries.count == 4)
    }

    @Test func `only what comes in counts`() {
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: .seconds(10), sendPings: false), open: { ws in ws.subscribe(to: "all") },
                message: { ws, message in ws.publish(message, to: "all") }))
        let (silent, lively) = (server.open(), server.open())
        for _ in 0..<9 {
            server.advance(.seconds(1))
            lively.send("tick")
        }
        #expect(silent.count(.text) == 9)
        server.advance(.milliseconds(1_128))
        #expect(silent.frames().first?.closeCode == 1001, "it heard much and said nothing")
        #expect(lively.frames() == [])
    }

    @Test func `zero is off: a silent socket stays for a week, and is not pinged`() {
        let server = SimulatedServer(WebSocketHandlers(options: .init(idleTimeout: .zero), message: { _, _ in }))
        let socket = server.open()
        server.advance(.seconds(7 * 86_400))
        #expect(socket.frames() == [])
        #expect(server.simulation.driver.sleep == .max, "nothing to wake for")
    }

    @Test(arguments: [true, false])
    func `a socket is closed with 1001 at the end of its lifetime, however lively`(answersClose: Bool) {
        let journal = Journal<String>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(maxLifetime: .seconds(3_600)), message: { ws, message in ws.send(message) },
                close: { _, code, _ in journal.note("\(code.rawValue)") }))
        let socket = server.open()
        for _ in 0..<3_599 {
            server.advance(.seconds(1))
            socket.send("x")
        }
        #expect(socket.count(.text) == 3_599)
        server.advance(.milliseconds(1_128))
        #expect(socket.frames().map(\.closeCode) == [1001])
        if answersClose { socket.send(.close, [3, 233]) } else { server.advance(.milliseconds(5_128)) }
        #expect(journal.entries == ["1001"])
    }

    @Test func `a write stall of its own length cuts a peer that takes nothing, and a slow one stays`() {
        let journal = Journal<String>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: .zero, writeStallTimeout: .seconds(10)),
                open: { ws in ws.send([UInt8](repeating: 1, count: 100_000)) },
                close: { _, code, reason in journal.note("\(code.rawValue) \(reason)") }))
        let (deaf, slow) = (server.open(window: 1_000), server.open(window: 1_000))
        for _ in 0..<9 {
            server.advance(.seconds(1))
            slow.peer.makeRoom(10)
        }
        #expect(!deaf.peer.isClosed)
        for _ in 0..<60 {
            server.advance(.seconds(1))
            slow.peer.makeRoom(10)
        }
        #expect(deaf.peer.isClosed && journal.entries == ["1006 write stall"])
        #expect(!slow.peer.isClosed)
    }

    @Test func `the peer of a closing socket has time for what is queued, at a kilobyte a second`() {
        let journal = Journal<String>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: .zero, closeTimeout: .seconds(1)),
                open: { ws in ws.send([UInt8](repeating: 1, count: 20_000)) },
                message: { ws, _ in ws.close() },
                close: { _, code, reason in journal.note("\(code.rawValue) \(reason)") }))
        let (slow, trickling) = (server.open(window: 1_000), server.open(window: 1_000))
        for socket in [slow, trickling] { socket.send("close") }
        for _ in 0..<20 {
            server.advance(.milliseconds(900))
            slow.peer.makeRoom(1_000)
            trickling.peer.makeRoom(1)
        }
        server.rest()
        #expect(trickling.peer.isClosed && journal.entries == ["1006 no Close came in time"])
        #expect(slow.frames().map(\.opcode) == [.binary, .close])
        slow.send(.close, [3, 232])
        #expect(journal.entries.last == "1000 ")
    }

    @Test func `more than 1,000 control frames in ten seconds close with 1008, as many in the next do not`() {
        let server = SimulatedServer(WebSocketHandlers(options: .init(idleTimeout: .zero), message: { _, _ in }))
        let (patient, flooding) = (server.open(), server.open())
        for _ in 0..<3 {
            for number in 0..<1_000 { patient.send(number % 2 == 0 ? .ping : .pong) }
            server.advance(.seconds(10))
        }
        #expect(patient.count(.pong) == 1_500)
        for _ in 0..<1_001 where !flooding.peer.hasSeenEnd { flooding.send(.pong) }
        #expect(flooding.frames().map(\.closeCode) == [1008])
    }

    @Test func `control frames have room of their own beyond the backpressure limit`() {
        let journal = Journal<SendResult>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(backpressureLimit: 1_000),
                message: { ws, _ in
                    journal.note(ws.send([UInt8](repeating: 1, count: 999)))
                    journal.note(ws.send([UInt8](repeating: 2, count: 5_000)))
                    journal.note(ws.send("more"))
                    journal.note(ws.ping())
                }))
        let socket = server.open()
        socket.send("go")
        #expect(journal.entries == [.sent(bytes: 999), .dropped, .dropped, .sent(bytes: 0)])
        #expect(socket.frames().map(\.opcode) == [.binary, .ping], "1,003 bytes with their header: at the limit")
    }
}
