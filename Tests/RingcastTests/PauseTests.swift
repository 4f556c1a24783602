import ReactorTesting
import Ringcast
import Synchronization
import Testing
import WebSocketProtocol

@Suite struct PauseTests {
    /// Notes messages; "pause" pauses, and `held` is given the reference that resumes.
    static func pausing(
        _ journal: Journal<String>, _ held: Journal<WebSocketRef<Void>>, _ options: WebSocketOptions = .init()
    ) -> WebSocketHandlers<Void> {
        WebSocketHandlers(
            options: options,
            message: { ws, message in
                journal.note(message.string)
                guard message.string == "pause" else { return }
                ws.pause()
                held.note(ws.reference)
            },
            close: { _, code, _ in journal.note("close \(code.rawValue)") })
    }

    @Test func `a pause holds the frames behind it, also those of the same segment, and resume brings them in order`()
        async throws
    {
        let (journal, held) = (Journal<String>(), Journal<WebSocketRef<Void>>())
        try await serving(Self.pausing(journal, held)) { server in
            for _ in 0..<4 {
                let before = journal.entries.count
                let client = try SocketClient(port: server.port)
                let texts = ["a", "pause"] + (0..<100).map { "\($0)" } + ["pause", "z"]
                try client.connection.send(texts.flatMap { SocketClient.encode(.text, [UInt8]($0.utf8)) })
                #expect(journal.wait(for: before + 2).count == before + 2)
                try client.send("later")
                pause(.milliseconds(30))
                #expect(journal.entries.count == before + 2)
                held.entries.last?.resume()
                #expect(journal.wait(for: before + 103).count == before + 103)
                pause(.milliseconds(30))
                #expect(journal.entries.count == before + 103)
                held.entries.last?.resume()
                #expect(Array(journal.wait(for: before + 105)[before...]) == texts + ["later"])
                try client.sendClose()
                #expect(try client.readClose().closeCode == 1000)
                #expect(journal.wait(for: before + 106).last == "close 1000")
            }
        }
    }

    @Test func `a pause in the open handler holds what came behind the handshake`() async throws {
        let (journal, held) = (Journal<String>(), Journal<WebSocketRef<Void>>())
        let handlers = WebSocketHandlers<Void>(
            open: { ws in
                ws.pause()
                ws.send("paused \(ws.isPaused)")
                held.note(ws.reference)
            },
            message: { ws, message in journal.note(message.string) })
        try await serving(handlers) { server in
            let connection = try TCPClient(port: server.port)
            try connection.send([UInt8](SocketClient.request().utf8) + SocketClient.encode(.text, [0x68, 0x69]))
            let client = SocketClient(upgraded: connection, answer: try connection.readAnswer())
            #expect(try client.readText() == "paused true")
            pause(.milliseconds(30))
            #expect(journal.entries == [])
            held.wait()[0].resume()
            #expect(journal.wait() == ["hi"])
        }
    }

    @Test func `the peer of a paused socket feels backpressure, and nothing it sent is lost`() async throws {
        let (journal, held) = (Journal<String>(), Journal<WebSocketRef<Void>>())
        let received = Atomic<Int>(0)
        let handlers = WebSocketHandlers<Void>(
            open: { ws in
                ws.pause()
                held.note(ws.reference)
            },
            message: { ws, message in
                let count = received.add(message.byteCount, ordering: .relaxed).newValue
                if count == 32 << 20 { journal.note("all") }
            })
        try await serving(handlers) { server in
            let (port, sent) = (server.port, Journal<Int>())
            Task(executorPreference: BlockingExecutor()) {
                let client = try SocketClient(port: port)
                let frame = SocketClient.encode(.binary, [UInt8](repeating: 9, count: 64 << 10))
                for number in 1...512 {
                    try client.connection.send(frame)
                    sent.note(number)
                }
            }
            let reference = held.wait()[0]
            // It goes on until the kernel's buffers are full, and then no further.
            var before = -1
            while before != sent.entries.count {
                before = sent.entries.count
                pause(.milliseconds(200))
            }
            #expect(before < 512)
            #expect(received.load(ordering: .relaxed) == 0)
            reference.resume()
            #expect(journal.wait() == ["all"])
        }
    }

    @Test func `the idle timer of a paused socket rests, and runs again after resume`() async throws {
        let (journal, held) = (Journal<String>(), Journal<WebSocketRef<Void>>())
        let options = WebSocketOptions(idleTimeout: .seconds(3), sendPings: false)
        try await serving(Self.pausing(journal, held, options)) { server in
            let client = try SocketClient(port: server.port)
            try client.send("pause")
            let reference = held.wait()[0]
            pause(.seconds(5))
            #expect(journal.entries == ["pause"])
            reference.resume()
            try client.send("still here")
            #expect(journal.wait(for: 2).last == "still here")
            #expect(try client.readClose().closeCode == 1001)
        }
    }

    @Test func `a paused socket can be closed: the peer's answer is read, and kept messages are dropped`() async throws
    {
        let (journal, held) = (Journal<String>(), Journal<WebSocketRef<Void>>())
        try await serving(Self.pausing(journal, held)) { server in
            let client = try SocketClient(port: server.port)
            try client.send("pause")
            try client.send("dropped")
            let reference = held.wait()[0]
            pause(.milliseconds(20))
            reference.close(CloseCode(rawValue: 4_000))
            #expect(try client.readClose().closeCode == 4_000)
            try client.sendClose(4_000)
            #expect(journal.wait(for: 2) == ["pause", "close 4000"])
            #expect(try client.isAtEnd())
        }
    }

    @Test func `a paused socket can be terminated, and a peer's end is seen after resume`() async throws {
        let (journal, held) = (Journal<String>(), Journal<WebSocketRef<Void>>())
        try await serving(Self.pausing(journal, held)) { server in
            let first = try SocketClient(port: server.port)
            try first.send("pause")
            held.wait()[0].terminate()
            #expect(journal.wait(for: 2) == ["pause", "close 1006"])
            #expect(try first.isAtEnd())

            let second = try SocketClient(port: server.port)
            try second.send("pause")
            let reference = held.wait(for: 2)[1]
            try second.send("last")
            try second.sendClose()
            second.connection.shutDownWriting()
            pause(.milliseconds(30))
            #expect(journal.entries.count == 3)
            reference.resume()
            #expect(Array(journal.wait(for: 5)[3...]) == ["last", "close 1000"])
        }
    }

    @Test func `a server stops while sockets are paused`() async throws {
        let (journal, held) = (Journal<String>(), Journal<WebSocketRef<Void>>())
        try await serving(Self.pausing(journal, held)) { server in
            let clients = try (0..<4).map { _ in try SocketClient(port: server.port) }
            for client in clients { try client.send("pause") }
            #expect(held.wait(for: 4).count == 4)
            server.stop()
            for client in clients { #expect(try client.readClose().closeCode == 1001) }
        }
    }
}
