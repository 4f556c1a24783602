import Synchronization
import Testing
import WebSocketProtocol

@testable import Ringcast

@Suite struct AsyncMessageTests {
    typealias Reference = WebSocketRef<Void>

    /// Where handlers wait until a test lets them go on; cancelling a task lets it go too.
    final class Gate: Sendable {
        private let passes = Mutex(0)

        func open(_ count: Int = 1) { passes.withLock { $0 += count } }

        func pass() async throws {
            while !passes.withLock({ passes in
                guard passes > 0 else { return false }
                passes -= 1
                return true
            }) {
                try await Task.sleep(for: .milliseconds(1))
            }
        }
    }

    /// Notes messages and the close; "boom" throws, the others wait at the gate.
    static func gated(
        _ journal: Journal<String>, _ gate: Gate, _ options: WebSocketOptions = .init(),
        then: @escaping @Sendable (Reference, OwnedMessage) -> Void = { _, _ in }
    ) -> WebSocketHandlers<Void> {
        struct Boom: Error {}
        return WebSocketHandlers(
            options: options,
            asyncMessage: { reference, message in
                journal.note(message.string)
                if message.string == "boom" { throw Boom() }
                do { try await gate.pass() } catch { journal.note("cancelled") }
                then(reference, message)
            },
            close: { _, code, _ in journal.note("close \(code.rawValue)") },
            error: { ws, error in journal.note("\(type(of: error)) \(ws.readyState)") })
    }

    static func segment(_ texts: [String]) -> [UInt8] {
        texts.flatMap { SocketClient.encode(.text, [UInt8]($0.utf8)) }
    }

    @Test func `messages are handled one at a time and in order, on the connection's loop`() async throws {
        struct Count: Sendable { var running = 0 }
        let handlers = WebSocketHandlers<Count>(
            asyncMessage: { reference, message in
                let isOnLoop = await reference.perform { ws in
                    ws.data.running += 1
                    return ws.data.running == 1
                }
                if message.byteCount % 3 == 0 { try await Task.sleep(for: .milliseconds(1)) }
                await Task.yield()
                reference.send(isOnLoop == true ? message : .text("another one is running"))
                await reference.perform { ws in ws.data.running -= 1 }
            })
        try await serving(handlers, with: Count()) { server in
            let clients = try (0..<4).map { _ in try SocketClient(port: server.port) }
            let texts = (0..<200).map { String(repeating: "x", count: $0) }
            for client in clients {
                try client.connection.send(Self.segment(texts))
                try client.send(.binary, [1, 2])
            }
            for client in clients {
                for text in texts { #expect(try client.readText() == text) }
                #expect(try client.read() == .init(opcode: .binary, payload: [1, 2]))
            }
        }
    }

    @Test func `after every await the handler is on its loop again, where a send takes effect at once`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 100_000),
            asyncMessage: { reference, _ in
                let chunk = [UInt8](repeating: 1, count: 60_000)
                for _ in 0..<3 {
                    await Task.detached { try? await Task.sleep(for: .milliseconds(1)) }.value
                    let results = (0..<3).map { _ in reference.send(chunk) }
                    reference.send("\(results.map(\.status))")
                }
            })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.send("go")
            for _ in 0..<3 {
                #expect(try client.read().payload.count == 60_000)
                #expect(try client.read().payload.count == 60_000)
            }
        }
    }

    @Test func `reading pauses at the bound of waiting messages, and goes on below it`() async throws {
        let (journal, gate) = (Journal<String>(), Gate())
        let handled = Gate()
        try await serving(Self.gated(journal, gate, .init(maxWaitingMessages: 4), then: { _, _ in handled.open() })) {
            server in
            let client = try SocketClient(port: server.port)
            let texts = (0..<100).map { "\($0)" }
            try client.connection.send(Self.segment(texts))
            #expect(journal.wait() == ["0"])
            // One is being handled and four wait; the rest is not read.
            #expect(eventually { server.statistics.reduce(0) { $0 + $1.messagesIn } >= 5 })
            pause(.milliseconds(50))
            #expect(server.statistics.reduce(0) { $0 + $1.messagesIn } == 5)
            gate.open(100)
            #expect(journal.wait(for: 100) == texts)
            #expect(server.statistics.reduce(0) { $0 + $1.messagesIn } <= 100)
        }
    }

    @Test func `an inbox counts what waits in it, and no more`() {
        let inbox = MessageInbox()
        inbox.append(.text("four"))
        inbox.append(.binary([1, 2]))
        #expect(inbox.count == 2 && inbox.byteCount == 6)
        #expect(inbox.popFirst()?.string == "four" && inbox.count == 1 && inbox.byteCount == 2)
        inbox.removeAll()
        #expect(inbox.popFirst() == nil && inbox.count == 0 && inbox.byteCount == 0)
    }

    @Test func `what came before the peer's Close is handled, and can be answered, before the close handler`()
        async throws
    {
        let (journal, gate) = (Journal<String>(), Gate())
        // Nothing but the last message's end brings the Close's answer.
        let options = WebSocketOptions(closeTimeout: .seconds(3_600))
        try await serving(Self.gated(journal, gate, options, then: { $0.send($1) })) { server in
            let client = try SocketClient(port: server.port)
            let texts = (0..<40).map { "\($0)" }
            try client.connection.send(Self.segment(texts) + SocketClient.encode(.close, [0x03, 0xE9]))
            #expect(journal.wait() == ["0"])
            pause(.milliseconds(20))
            gate.open(40)
            for text in texts { #expect(try client.readText() == text) }
            #expect(try client.read().closeCode == 1001)
            #expect(journal.wait(for: 41) == texts + ["close 1001"])
            #expect(try client.isAtEnd())
        }
    }

    @Test func `and so is what came before the peer's end of input`() async throws {
        let (journal, gate) = (Journal<String>(), Gate())
        try await serving(Self.gated(journal, gate, then: { $0.send($1) })) { server in
            let client = try SocketClient(port: server.port)
            try client.connection.send(Self.segment(["a", "b"]))
            client.connection.shutDownWriting()
            #expect(journal.wait() == ["a"])
            pause(.milliseconds(20))
            gate.open(2)
            #expect(try [client.readText(), client.readText()] == ["a", "b"])
            #expect(journal.wait(for: 3) == ["a", "b", "close 1006"])
        }
    }

    @Test func `a handler that takes longer than the close timeout is not waited for`() async throws {
        let (journal, gate) = (Journal<String>(), Gate())
        try await serving(Self.gated(journal, gate, .init(closeTimeout: .milliseconds(200)))) { server in
            let client = try SocketClient(port: server.port)
            try client.connection.send(Self.segment(["a", "b"]) + SocketClient.encode(.close, []))
            #expect(try client.read() == .init(opcode: .close, payload: []))
            #expect(journal.wait(for: 3) == ["a", "close 1005", "cancelled"])
        }
    }

    @Test func `an error goes to the error handler and closes with 1011, and waiting messages are dropped`()
        async throws
    {
        let (journal, gate) = (Journal<String>(), Gate())
        try await serving(Self.gated(journal, gate)) { server in
            let client = try SocketClient(port: server.port)
            try client.connection.send(Self.segment(["a", "boom", "b", "c"]))
            gate.open()
            #expect(try client.readClose().closeCode == 1011)
            try client.send("d")
            try client.sendClose(1011)
            #expect(journal.wait(for: 4) == ["a", "boom", "Boom open", "close 1011"])
            #expect(try client.isAtEnd())
        }
    }

    @Test func `messages that wait when the socket is closed here are dropped, the running handler is waited for`()
        async throws
    {
        let (journal, gate) = (Journal<String>(), Gate())
        let closed = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            asyncMessage: { reference, message in
                journal.note(message.string)
                reference.close()
                closed.note("\(reference.send("x"))")
                try await gate.pass()
                journal.note("done")
            },
            close: { _, code, _ in journal.note("close \(code.rawValue)") })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            try client.connection.send(Self.segment(["a", "b", "c"]))
            #expect(try client.read().closeCode == 1000)
            try client.sendClose()
            #expect(closed.wait() == ["dropped"])
            pause(.milliseconds(30))
            #expect(journal.entries == ["a"])
            gate.open()
            #expect(journal.wait(for: 3) == ["a", "done", "close 1000"])
            #expect(try client.isAtEnd())
        }
    }

    @Test func `a lost connection drops what waits and cancels the handler`() async throws {
        let (journal, gate) = (Journal<String>(), Gate())
        try await serving(Self.gated(journal, gate)) { server in
            let client = try SocketClient(port: server.port)
            try client.connection.send(Self.segment(["a", "b"]))
            #expect(journal.wait() == ["a"])
            client.connection.reset()
            #expect(journal.wait(for: 3) == ["a", "close 1006", "cancelled"])
        }
    }

    @Test func `terminate drops what waits`() async throws {
        let (journal, gate) = (Journal<String>(), Gate())
        gate.open()
        try await serving(Self.gated(journal, gate, then: { reference, _ in reference.terminate() })) { server in
            let client = try SocketClient(port: server.port)
            try client.connection.send(Self.segment(["a", "b"]))
            #expect(journal.wait(for: 2) == ["a", "close 1006"])
            #expect(try client.isAtEnd())
        }
    }

    @Test func `nothing of a closed socket stays, and a server stops while handlers wait`() async throws {
        final class Token: Sendable {
            static let count = Atomic(0)
            init() { Self.count.add(1, ordering: .relaxed) }
            deinit { Self.count.add(-1, ordering: .relaxed) }
        }
        let (journal, gate) = (Journal<String>(), Gate())
        let handlers = WebSocketHandlers<Token>(
            options: .init(closeTimeout: .milliseconds(200)),
            asyncMessage: { reference, message in
                let token = await reference.perform { $0.data }
                journal.note(message.string)
                try await gate.pass()
                withExtendedLifetime(token) {}
            })
        try await serving(fetch: { _ in .upgrade(to: handlers, with: Token()) }) { server in
            let clients = try (0..<16).map { _ in try SocketClient(port: server.port) }
            for client in clients { try client.connection.send(Self.segment(["a", "b", "c"])) }
            #expect(journal.wait(for: 16).count == 16)
            #expect(Token.count.load(ordering: .relaxed) == 16)
            for client in clients[..<8] { client.connection.reset() }
            #expect(eventually { Token.count.load(ordering: .relaxed) == 8 })
            #expect(eventually { server.pendingWebSockets == 8 })
        }
        #expect(eventually { Token.count.load(ordering: .relaxed) == 0 })
        #expect(journal.entries.count == 16)
    }
}
