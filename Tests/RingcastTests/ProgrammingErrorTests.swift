import Ringcast
import Testing
import WebSocketProtocol

/// Programming errors trap, each in a process of its own.
@Suite struct ProgrammingErrorTests {
    /// Runs a message handler on a server of this process.
    static func handle(_ message: @escaping @Sendable (borrowing WebSocket<[Int]>, borrowing Message) -> Void)
        async throws
    {
        let handlers = WebSocketHandlers<[Int]>(message: { ws, text in
            message(ws, text)
            ws.send("survived")
        })
        try await serving(handlers, with: [1, 2, 3], { $0.loops = .count(1) }) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            #expect(try client.readText() == "survived")
        }
    }

    @Test func `changing the data of a socket while it is being changed traps`() async {
        await #expect(processExitsWith: .failure) {
            try await Self.handle { ws, _ in
                func change(_ data: inout [Int], _ other: borrowing WebSocket<[Int]>) { other.data.append(4) }
                change(&ws.data, ws)
            }
        }
    }

    @Test func `reading the data of a socket while it is being changed traps`() async {
        await #expect(processExitsWith: .failure) {
            try await Self.handle { ws, _ in
                func change(_ data: inout [Int], _ other: borrowing WebSocket<[Int]>) { data.append(other.data.count) }
                change(&ws.data, ws)
            }
        }
    }

    @Test func `changing it again afterwards is fine`() async throws {
        try await Self.handle { ws, _ in
            ws.data.append(4)
            ws.data[0] += ws.data.count
            ws.data.removeAll()
        }
    }

    @Test func `handlers without any handler trap`() async {
        await #expect(processExitsWith: .failure) { _ = WebSocketHandlers<Void>() }
    }
}
