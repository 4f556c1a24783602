import Ringcast
import Testing
import WebSocketProtocol

@Suite struct BackpressureTests {
    /// Sends 64 KB messages until the result is no more "sent", and says how many it took.
    static func flood(_ ws: borrowing WebSocket<Void>, until end: SendResult) -> Int {
        let chunk = [UInt8](repeating: 7, count: 64 << 10)
        for count in 1...10_000 where ws.send(chunk) == end { return count }
        return 0
    }

    @Test func `a cork over 64 KB is backpressure, and drain comes once it has left`() async throws {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            message: { ws, _ in
                let first = ws.send([UInt8](repeating: 1, count: 60_000))
                let second = ws.send([UInt8](repeating: 1, count: 10_000))
                journal.note("\(first) \(second) \(ws.bufferedAmount > 70_000)")
            },
            drain: { ws in journal.note("drain \(ws.bufferedAmount)") })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            #expect(try client.read().payload.count == 60_000)
            #expect(try client.read().payload.count == 10_000)
            #expect(journal.wait(for: 2) == ["sent(bytes: 60000) backpressure true", "drain 0"])
        }
    }

    @Test func `a peer that does not read is backpressure, and drain comes when it has read all`() async throws {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 8 << 20),
            message: { ws, message in
                if message.isText {
                    journal.note("dropped after \(Self.flood(ws, until: .dropped))")
                } else {
                    journal.note("\(ws.send("more"))")
                }
            },
            drain: { ws in
                journal.note("drain")
                ws.send("drained")
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port, receiveBuffer: 4_096)
            try client.send("go")
            // Whole messages up to the limit and the one that reaches it: 8 MB in messages of 64 KB with their headers.
            #expect(journal.wait() == ["dropped after 129"])
            try client.send(.binary, [1])
            #expect(journal.wait(for: 2).last == "backpressure")
            for _ in 0..<128 { #expect(try client.read().payload.count == 64 << 10) }
            #expect(try client.readText() == "more")
            #expect(try client.readText() == "drained")
            #expect(journal.wait(for: 3).last == "drain")
            #expect(server.statistics.reduce(0) { $0 + $1.dropsAtLimit } == 1)
        }
    }

    @Test func `a socket can be closed with 1013 instead`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 1 << 20, closeOnBackpressureLimit: true),
            message: { ws, _ in _ = Self.flood(ws, until: .dropped) })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            #expect(try client.readClose().closeCode == 1013)
        }
    }

    @Test func `what was sent before a close arrives, however slowly the peer reads`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(closeTimeout: .seconds(2)),
            message: { ws, _ in
                for _ in 0..<128 { ws.send([UInt8](repeating: 7, count: 64 << 10)) }
                ws.close()
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port, receiveBuffer: 4_096)
            try client.send("go")
            for _ in 0..<128 {
                #expect(try client.read().payload.count == 64 << 10)
                pause(.milliseconds(25))
            }
            #expect(try client.read().closeCode == 1000)
        }
    }
}
