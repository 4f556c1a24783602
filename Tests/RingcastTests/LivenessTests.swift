import Ringcast
import Testing
import WebSocketProtocol

@Suite struct LivenessTests {
    @Test func `a silent peer is pinged, then closed with 1001`() async throws {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .milliseconds(2_000)),
            close: { _, code, _ in journal.note("\(code.rawValue)") })
        try await serving(handlers) { server in
            let start = ContinuousClock.now
            let client = try SocketClient(port: server.port)
            #expect(try client.read() == .init(opcode: .ping, payload: []))
            #expect(ContinuousClock.now - start >= .milliseconds(1_490))
            #expect(try client.read().closeCode == 1001)
            #expect(ContinuousClock.now - start >= .milliseconds(1_990))
            #expect(try client.isAtEnd())
            #expect(journal.wait() == ["1006"])
        }
    }

    @Test func `a peer that answers its pings stays, and its round trip is known`() async throws {
        let journal = Journal<Bool>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .milliseconds(2_000)),
            open: { ws in journal.note(ws.roundTrip != nil) },
            message: { ws, _ in journal.note(ws.roundTrip != nil) })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            for _ in 0..<2 {
                #expect(try client.read().opcode == .ping)
                try client.send(.pong, [])
            }
            try client.send("now")
            #expect(journal.wait(for: 2) == [false, true])
        }
    }

    @Test func `only what comes in counts, and pings can be off`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .milliseconds(300), sendPings: false),
            open: { ws in
                ws.task { ref in
                    while ref.send("tick") != .dropped { try? await Task.sleep(for: .milliseconds(20)) }
                }
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            while true {
                let frame = try client.read()
                if frame.opcode == .close {
                    #expect(frame.closeCode == 1001)
                    break
                }
                #expect(frame.text == "tick")
            }
        }
    }

    @Test func `a socket is closed with 1001 at the end of its lifetime, however lively`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .zero, maxLifetime: .milliseconds(200)),
            message: { ws, message in ws.send(message) })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            var frame: SocketClient.Frame
            repeat {
                try client.send("x")
                frame = try client.read()
            } while frame.opcode == .text
            #expect(frame.closeCode == 1001)
        }
    }
}
