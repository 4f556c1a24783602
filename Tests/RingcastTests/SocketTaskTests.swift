import Ringcast
import Testing

/// What runs on a socket's behalf outside of its handlers: `ws.task` and `reference.perform`.
@Suite struct SocketTaskTests {
    struct Oops: Error {}

    static func noting(
        _ journal: Journal<String>, open: @escaping @Sendable (borrowing WebSocket<Int>) -> Void = { _ in },
        closing: @escaping @Sendable (borrowing WebSocket<Int>) -> Void = { _ in }
    ) -> WebSocketHandlers<Int> {
        WebSocketHandlers(
            open: { ws in open(ws) },
            message: { ws, message in ws.send(message) },
            close: { ws, code, _ in
                journal.note("close \(code.rawValue)")
                closing(ws)
            },
            error: { _, error in journal.note("\(type(of: error))") })
    }

    @Test func `a task is cancelled with its socket`() async throws {
        let journal = Journal<String>()
        let handlers = Self.noting(
            journal,
            open: { ws in
                ws.task { _ in
                    journal.note("begun")
                    do { try await Task.sleep(for: .seconds(3_600)) } catch {
                        journal.note("cancelled \(Task.isCancelled)")
                    }
                }
            })
        try await serving(handlers, with: 0) { server in
            let client = try SocketClient(port: server.port)
            #expect(journal.wait() == ["begun"])
            try client.sendClose()
            #expect(journal.wait(for: 3) == ["begun", "close 1000", "cancelled true"])
        }
    }

    @Test func `a task that waits for its cancellation hears of it before the close handler runs`() async throws {
        let journal = Journal<String>()
        let handlers = Self.noting(
            journal,
            open: { ws in
                ws.task { _ in
                    await withTaskCancellationHandler {
                        journal.note("begun")
                        try? await Task.sleep(for: .seconds(3_600))
                    } onCancel: {
                        journal.note("cancelled")
                    }
                }
            })
        try await serving(handlers, with: 0) { server in
            let client = try SocketClient(port: server.port)
            _ = journal.wait()
            try client.sendClose()
            #expect(journal.wait(for: 3) == ["begun", "cancelled", "close 1000"])
        }
    }

    @Test func `what the close handler starts is not cancelled`() async throws {
        let journal = Journal<String>()
        let handlers = Self.noting(
            journal,
            closing: { ws in
                ws.task { ref in
                    await Task.yield()
                    journal.note("cancelled \(Task.isCancelled) closed \(ref.isClosed)")
                }
            })
        try await serving(handlers, with: 0) { server in
            try SocketClient(port: server.port).sendClose()
            #expect(journal.wait(for: 2) == ["close 1000", "cancelled false closed true"])
        }
    }

    @Test func `what a task throws is a handler's error, and the socket closes with 1011`() async throws {
        let journal = Journal<String>()
        let handlers = Self.noting(
            journal,
            open: { ws in
                ws.task { _ in
                    await Task.yield()
                    throw Oops()
                }
            })
        try await serving(handlers, with: 0) { server in
            let client = try SocketClient(port: server.port)
            #expect(try client.readClose().closeCode == 1011)
            try client.sendClose(1011)
            #expect(journal.wait(for: 2) == ["Oops", "close 1011"])
        }
    }

    @Test func `a thousand tasks of one socket come and go`() async throws {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Int>(message: { ws, message in
            let text = message.string
            ws.task { ref in
                await Task.yield()
                ref.send(text)
            }
        })
        try await serving(handlers, with: 0) { server in
            let client = try SocketClient(port: server.port)
            for number in 0..<1_000 { try client.send("\(number)") }
            let texts = try (0..<1_000).map { _ in try client.readText() }
            #expect(Set(texts).count == 1_000 && journal.entries.isEmpty)
        }
    }

    @Test func `what perform throws reaches the error handler and the caller, and the socket closes with 1011`()
        async throws
    {
        let journal = Journal<String>()
        let references = Journal<WebSocketRef<Int>>()
        let handlers = Self.noting(journal, open: { ws in references.note(ws.reference) })
        try await serving(handlers, with: 7) { server in
            let client = try SocketClient(port: server.port)
            let reference = references.wait()[0]
            let data: Int? = try awaited {
                try await reference.perform { ws in
                    guard ws.data == 7 else { throw Oops() }
                    return ws.data
                }
            }
            #expect(data == 7 && journal.entries.isEmpty)
            let throwing: @Sendable () async throws -> Int? = {
                try await reference.perform { ws in
                    guard ws.data != 7 else { throw Oops() }
                    return ws.data
                }
            }
            #expect(throws: Oops.self) { _ = try awaited(throwing) }
            #expect(journal.wait() == ["Oops"])
            #expect(try client.readClose().closeCode == 1011)
            try client.sendClose(1011)
            #expect(journal.wait(for: 2) == ["Oops", "close 1011"])
            #expect(eventually { reference.isClosed })
            let late = try awaited(throwing)
            #expect(late == nil)
        }
    }
}
