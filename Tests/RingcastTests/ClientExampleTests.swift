import ReactorTesting
import Ringcast
import Testing

@Suite(.blocking) struct ClientExampleTests {
    /// The first example of docs/client.md, which a tidy test compares with this one.
    static func talk(to url: String, _ print: @escaping @Sendable (String) -> Void) async throws {
        let socket = try await WebSocketClient.connect(url)
        try await socket.send("hello")  // waits while the server is behind
        for try await message in socket.messages {
            print(message.string)
            await socket.close()
        }

        // For thousands: a server's handlers, on loops.
        let group = try ClientGroup(configuration: .init(loops: .count(2)))
        let (lines, journal) = AsyncStream.makeStream(of: String.self)
        let bot = WebSocketHandlers<Int>(
            open: { ws in ws.send("hello") },
            message: { ws, message in
                ws.data += 1
                journal.yield("\(ws.data): \(message.string)")
            }
        )
        for _ in 0..<100 {
            group.connect(try ClientRequest(url), handlers: bot, with: 0) { error in journal.yield("\(error)") }
        }
        for await line in lines.prefix(100) { print(line) }  // one from each: what ends a group ends its sockets
        group.stop()
        await group.ended()
    }

    @Test func `the example talks to an echo server`() async throws {
        let lines = Journal<String>()
        let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })
        let server = try Server(
            configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false)
        ) { _ in .upgrade(to: echo) }
        try await withThrowingTaskGroup { group in
            group.addTask(executorPreference: BlockingExecutor()) { try await server.run() }
            defer { server.stop() }
            try await Self.talk(to: "ws://127.0.0.1:\(server.port)/") { lines.note($0) }
        }
        #expect(lines.entries.first == "hello")
        #expect(Array(lines.entries.dropFirst()) == Array(repeating: "1: hello", count: 100), "each has printed")
    }
}
