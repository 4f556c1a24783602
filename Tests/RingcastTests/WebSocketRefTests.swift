import ReactorTesting
import Ringcast
import Synchronization
import Testing
import WebSocketProtocol

@Suite struct WebSocketRefTests {
    /// The references of the sockets that have opened.
    final class Sockets: Sendable {
        private let list = Mutex<[WebSocketRef<Int>]>([])

        func add(_ socket: WebSocketRef<Int>) { list.withLock { $0.append(socket) } }

        func wait(for count: Int = 1) -> [WebSocketRef<Int>] {
            #expect(eventually { list.withLock { $0.count } >= count })
            return list.withLock { $0 }
        }
    }

    static func noting(_ sockets: Sockets, _ journal: Journal<String> = Journal()) -> WebSocketHandlers<Int> {
        WebSocketHandlers(
            open: { ws in sockets.add(ws.reference) },
            message: { ws, message in ws.send("\(ws.data) \(message.string)") },
            close: { _, code, _ in journal.note("\(code.rawValue)") })
    }

    @Test func `a reference sends from any thread, in order, until the socket is closed`() async throws {
        let sockets = Sockets()
        let journal = Journal<String>()
        try await serving(Self.noting(sockets, journal), with: 0) { server in
            let client = try SocketClient(port: server.port)
            let ref = sockets.wait()[0]
            for number in 0..<1_000 { #expect(ref.send("\(number)") == .sent(bytes: "\(number)".utf8.count)) }
            ref.sendBinary([1, 2])
            for number in 0..<1_000 { #expect(try client.readText() == "\(number)") }
            #expect(try client.read() == .init(opcode: .binary, payload: [1, 2]))
            #expect(!ref.isClosed)
            try client.sendClose()
            #expect(journal.wait() == ["1000"])
            #expect(ref.isClosed)
            #expect(ref.send("late") == .dropped)
            ref.close()
            ref.terminate()
        }
        #expect(sockets.wait()[0].send("much later") == .dropped)
    }

    @Test func `a reference closes and terminates`() async throws {
        let sockets = Sockets()
        let journal = Journal<String>()
        try await serving(Self.noting(sockets, journal), with: 0) { server in
            let client = try SocketClient(port: server.port)
            sockets.wait()[0].close(CloseCode(rawValue: 3000), reason: "enough")
            let close = try client.readClose()
            #expect(close.closeCode == 3000)
            #expect(close.closeReason == "enough")
            let other = try SocketClient(port: server.port)
            sockets.wait(for: 2)[1].terminate()
            #expect(try other.isAtEnd())
        }
    }

    @Test func `references to the same socket are equal, to others not`() async throws {
        let handlers = WebSocketHandlers<Void>(open: { ws in
            let (first, second) = (ws.reference, ws.reference)
            ws.send("\(first == second) \(Set([first, second]).count)")
        })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            #expect(try client.readText() == "true 1")
        }
    }

    @Test func `perform runs on the socket's loop and gives its value, or nil once it is closed`() async throws {
        let sockets = Sockets()
        let journal = Journal<String>()
        let handlers = Self.noting(sockets, journal)
        let answers = Journal<Int?>()
        try await serving(handlers, with: 5) { server in
            let client = try SocketClient(port: server.port)
            let ref = sockets.wait()[0]
            Task(executorPreference: BlockingExecutor()) {
                answers.note(
                    await ref.perform { ws in
                        ws.data += 1
                        ws.send("performed")
                        return ws.data
                    })
            }
            #expect(try client.readText() == "performed")
            #expect(answers.wait() == [6])
            try client.send("x")
            #expect(try client.readText() == "6 x")
            try client.sendClose()
            _ = journal.wait()
            Task(executorPreference: BlockingExecutor()) { answers.note(await ref.perform { ws in ws.data }) }
            #expect(answers.wait(for: 2) == [6, nil])
        }
    }

    @Test func `a task runs on the socket's loop, and is there again after an await`() async throws {
        let handlers = WebSocketHandlers<Int>(message: { ws, message in
            let text = message.string
            ws.task { ref in
                try? await Task.sleep(for: .milliseconds(10))
                let value = await ref.perform { ws in
                    ws.data += 1
                    return ws.data
                }
                ref.send("\(text) \(value ?? 0)")
            }
        })
        try await serving(handlers, with: 0) { server in
            let client = try SocketClient(port: server.port)
            for number in 1...3 {
                try client.send("task")
                #expect(try client.readText() == "task \(number)")
            }
        }
    }

    @Test func `sockets of different loops reach each other through references`() async throws {
        let sockets = Sockets()
        let handlers = WebSocketHandlers<Int>(
            open: { ws in sockets.add(ws.reference) },
            message: { ws, message in
                for socket in sockets.wait(for: 2) where socket != ws.reference { socket.send(message) }
            })
        try await serving(handlers, with: 0) { server in
            let (first, second) = (try SocketClient(port: server.port), try SocketClient(port: server.port))
            _ = sockets.wait(for: 2)
            for number in 0..<500 { try first.send("\(number)") }
            for number in 0..<500 { #expect(try second.readText() == "\(number)") }
            try second.send("back")
            #expect(try first.readText() == "back")
        }
    }

    @Test func `a reference publishes on behalf of its socket, which does not hear it`() async throws {
        let sockets = Sockets()
        let handlers = WebSocketHandlers<Int>(open: { ws in
            ws.subscribe(to: "t")
            sockets.add(ws.reference)
        })
        try await serving(handlers, with: 0) { server in
            let (first, second) = (try SocketClient(port: server.port), try SocketClient(port: server.port))
            let refs = sockets.wait(for: 2)
            refs[0].publish("from the first", to: "t")
            refs[1].publish("from the second", to: "t")
            let heard = Set([try first.readText(), try second.readText()])
            #expect(heard == ["from the first", "from the second"])
        }
    }
}
