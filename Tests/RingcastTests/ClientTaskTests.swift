import ReactorTesting
import Ringcast
import Testing
import WebSocketProtocol

/// A client as a task uses it.
@Suite(.blocking) struct ClientTaskTests {
    static let echo = WebSocketHandlers<Void>(message: { ws, message in
        switch message.string {
        case "close": ws.close(4_001, reason: "as asked")
        case "bye": ws.close()
        case "terminate": ws.terminate()
        default: ws.send(message)
        }
    })

    /// Serves the echo while an asynchronous body runs.
    private func serving(
        _ handlers: WebSocketHandlers<Void> = echo, _ body: @escaping @Sendable (ClientRequest) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration(hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false)
        configuration.stop = StopTiming(window: .zero, deadline: .milliseconds(200))
        let server = try Server(configuration: configuration) { _ in .upgrade(to: handlers) }
        try await withThrowingTaskGroup { group in
            group.addTask(executorPreference: BlockingExecutor()) { try await server.run() }
            defer { server.stop() }
            try await body(try ClientRequest(port: server.port))
        }
    }

    @Test func `messages are sent and read in order, and the sequence ends with the socket`() async throws {
        try await serving { request in
            let socket = try await WebSocketClient.connect(request)
            for number in 0..<100 { try await socket.send("\(number)") }
            try await socket.send([1, 2, 3])
            try await socket.send("bye")
            var seen: [OwnedMessage] = []
            for try await message in socket.messages { seen.append(message) }
            #expect(seen == (0..<100).map { .text("\($0)") } + [.binary([1, 2, 3])])
            #expect(socket.closeCode == .normalClosure && socket.closeReason == "")
            await #expect(throws: WebSocketClientError.closed(.normalClosure, reason: "")) {
                try await socket.send("late")
            }
        }
    }

    @Test func `an end that is not a normal one is thrown, behind what came before it`() async throws {
        try await serving { request in
            let socket = try await WebSocketClient.connect(request)
            try await socket.send("first")
            try await socket.send("close")
            let iterator = socket.messages.makeAsyncIterator()
            #expect(try await iterator.next() == .text("first"))
            await #expect(throws: WebSocketClientError.closed(4_001, reason: "as asked")) { try await iterator.next() }
            #expect(socket.closeCode == 4_001 && socket.closeReason == "as asked")
            let cut = try await WebSocketClient.connect(request)
            try await cut.send("terminate")
            await #expect(throws: WebSocketClientError.closed(.abnormalClosure, reason: "")) {
                for try await _ in cut.messages {}
            }
        }
    }

    @Test func `closing sends what was sent before, waits for the answer, and ends the sequence`() async throws {
        let journal = Journal<String>()
        let server = WebSocketHandlers<Void>(
            message: { _, message in journal.note(message.string) },
            close: { _, code, reason in journal.note("\(code.rawValue) \(reason)") })
        try await serving(server) { request in
            let socket = try await WebSocketClient.connect(request)
            for number in 0..<50 { try await socket.send("\(number)") }
            await socket.close(4_002, reason: "enough")
            #expect(socket.closeCode == 4_002)
            #expect(journal.wait(for: 51) == (0..<50).map { "\($0)" } + ["4002 enough"])
            for try await _ in socket.messages {}
            await socket.close()
        }
    }

    @Test func `a ping takes some time`() async throws {
        try await serving { request in
            let socket = try await WebSocketClient.connect(request)
            #expect(try await socket.ping() > .zero)
            await socket.close()
            await #expect(throws: WebSocketClientError.closed(.normalClosure, reason: "")) { try await socket.ping() }
        }
    }

    @Test func `who sends faster than the peer reads waits, and goes on when it reads`() async throws {
        let peers = Journal<WebSocketRef<Void>>()
        let counts = Journal<Int>()
        let server = WebSocketHandlers<Void>(
            open: { ws in
                ws.pause()
                peers.note(ws.reference)
            },
            message: { _, message in counts.note(message.byteCount) })
        try await serving(server) { request in
            let socket = try await WebSocketClient.connect(request)
            let sent = Journal<Int>()
            let sender = Task {
                for number in 0..<400 {
                    try await socket.send([UInt8](repeating: 1, count: 100_000))
                    sent.note(number)
                }
            }
            // Sockets' buffers are megabytes; forty megabytes do not fit.
            #expect(eventually { !sent.entries.isEmpty })
            var before = -1
            while before != sent.entries.count {
                before = sent.entries.count
                try await Task.sleep(for: .milliseconds(200))
            }
            #expect(before < 400)
            await peers.entries[0].perform { $0.resume() }
            try await sender.value
            #expect(eventually { counts.entries.count == 400 })
        }
    }

    @Test func `who reads slower than the peer sends makes it wait`() async throws {
        let sent = Journal<Int>()
        let server = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 1 << 20),
            open: { ws in while case .sent = ws.send([UInt8](repeating: 1, count: 50_000)) { sent.note(1) } },
            drain: { ws in
                guard sent.entries.count < 1_000 else { return ws.close() }
                while sent.entries.count < 1_000, case .sent = ws.send([UInt8](repeating: 1, count: 50_000)) {
                    sent.note(1)
                }
                if sent.entries.count >= 1_000 { ws.close() }
            })
        try await serving(server) { request in
            let socket = try await WebSocketClient.connect(request, options: .init(maxWaitingMessages: 4))
            try await Task.sleep(for: .milliseconds(300))
            let before = sent.entries.count
            #expect(before < 1_000)
            var count = 0
            for try await message in socket.messages where message.byteCount == 50_000 { count += 1 }
            #expect(count >= 1_000)
        }
    }

    @Test func `letting go of a client closes its socket`() async throws {
        let closes = Journal<UInt16>()
        let server = WebSocketHandlers<Void>(close: { _, code, _ in closes.note(code.rawValue) })
        try await serving(server) { request in
            _ = try await WebSocketClient.connect(request)
            #expect(closes.wait() == [1001])
        }
    }
}
