import Ringcast
import Synchronization
import Testing

/// Whoever handles something has the server, a name for the socket, and a logger that says it.
@Suite struct ServerAtHandTests {
    /// Notes which server somebody has found.
    final class Finds: Sendable {
        private let list = Mutex<[(String, ObjectIdentifier?)]>([])

        func note(_ who: String, _ server: Server?) {
            list.withLock { $0.append((who, server.map(ObjectIdentifier.init))) }
        }

        func wait(for count: Int) -> [(String, ObjectIdentifier?)] {
            #expect(eventually { list.withLock { $0.count } >= count })
            return list.withLock { $0 }
        }
    }

    @Test func `a request, its copy, a handler, a task and a reference have their server at hand`() async throws {
        let finds = Finds()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in
                finds.note("open", ws.server)
                ws.task { ref in finds.note("task", ref.server) }
            },
            message: { ws, message in ws.server.publish(message, to: "all") },
            close: { ws, _, _ in finds.note("close", ws.server) })
        try await serving(fetch: { request in
            finds.note("request", request.server)
            let copy = request.copy()
            guard request.path == "/later" else { return .upgrade(to: handlers) }
            return .deferred {
                finds.note("copy", copy.request.server)
                return .response(.ok)
            }
        }) { server in
            #expect(try TCPClient(port: server.port).get("/later").status == 200)
            let client = try SocketClient(port: server.port)
            _ = finds.wait(for: 5)
            try client.sendClose()
            let all = finds.wait(for: 6)
            #expect(all.map(\.0).sorted() == ["close", "copy", "open", "request", "request", "task"])
            #expect(all.allSatisfy { $0.1 == ObjectIdentifier(server) })
        }
    }

    @Test func `a server at hand publishes from a handler to everybody, its sender too`() async throws {
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "all") },
            message: { ws, message in ws.server.publish(message, to: "all") })
        try await serving(handlers) { server in
            let clients = try (0..<3).map { _ in try SocketClient(port: server.port) }
            #expect(eventually { server.subscriberCount(of: "all") == 3 })
            try clients[0].send("hello")
            for client in clients { #expect(try client.readText() == "hello") }
        }
    }

    @Test func `a reference does not keep its server, which is gone when nobody else does`() async throws {
        let references = Journal<WebSocketRef<Void>>()
        let handlers = WebSocketHandlers<Void>(open: { ws in references.note(ws.reference) })
        try await serving(handlers) { server in
            let client = try SocketClient(port: server.port)
            #expect(references.wait()[0].server === server)
            try client.sendClose()
        }
        #expect(eventually { references.entries[0].server == nil })
    }

    @Test func `handlers that keep references are gone with their server`() async throws {
        weak var kept: Journal<WebSocketRef<Void>>?
        do {
            let references = Journal<WebSocketRef<Void>>()
            kept = references
            let handlers = WebSocketHandlers<Void>(open: { ws in references.note(ws.reference) })
            try await serving(handlers) { server in
                let client = try SocketClient(port: server.port)
                _ = references.wait()
                try client.sendClose()
            }
        }
        #expect(eventually { kept == nil })
    }

    @Test func `a client's socket has no server`() async throws {
        let references = Journal<WebSocketRef<Void>>()
        let handlers = WebSocketHandlers<Void>(open: { ws in references.note(ws.reference) })
        try await serving(ClientTests.echo) { server in
            try withClients { group in
                group.connect(try ClientRequest(port: server.port), handlers: handlers, with: ())
                #expect(references.wait()[0].server == nil)
            }
        }
    }

    @Test func `an id names one socket, here and in references, also once it is closed`() async throws {
        let ids = Journal<String>()
        let references = Journal<WebSocketRef<Void>>()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in
                ids.note(ws.id)
                references.note(ws.reference)
            },
            message: { ws, _ in ws.send(ws.id) },
            close: { ws, _, _ in ids.note("closed \(ws.id)") })
        try await serving(handlers) { server in
            for number in 1...4 {
                let client = try SocketClient(port: server.port)
                try client.send("?")
                let id = try client.readText()
                try client.sendClose()
                #expect(ids.wait(for: 2 * number).suffix(2) == [id, "closed \(id)"])
                #expect(references.wait(for: number).last?.id == id)
            }
        }
        #expect(Set(ids.entries).count == 8)
    }

    @Test func `two servers give their sockets different ids`() async throws {
        let ids = Journal<String>()
        let handlers = WebSocketHandlers<Void>(open: { ws in ids.note(ws.id) })
        for count in 1...2 {
            try await serving(handlers, { $0.loops = .count(1) }) { server in
                let client = try SocketClient(port: server.port)
                _ = ids.wait(for: count)
                try client.sendClose()
            }
        }
        #expect(Set(ids.entries).count == 2)
    }

    @Test func `a socket's logger says which socket, from where, and what it asked for`() async throws {
        let recorder = LogRecorder()
        let ids = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in
                ids.note(ws.id)
                ws.logger.info("hello")
                let logger = ws.logger
                ws.task { _ in logger.notice("from a task") }
            },
            close: { ws, code, _ in ws.logger.info("closed \(code.rawValue)") })
        try await serving(handlers, { $0.logger = recorder.logger() }) { server in
            let client = try SocketClient(port: server.port, path: "/rooms/a%20b?token=secret")
            try client.sendClose()
            #expect(eventually { recorder.lines.contains { $0.contains("closed") } })
        }
        let fields = "path=/rooms/a b remote=127.0.0.1:"
        let lines = recorder.lines.filter { $0.contains("socket=\(ids.entries[0])") && $0.contains(fields) }
        #expect(
            Set(lines.compactMap { $0.split(separator: " path").first.map(String.init) })
                == ["info: hello", "notice: from a task", "info: closed 1000"])
        #expect(!recorder.lines.contains { $0.contains("secret") })
    }

    @Test func `a logger that is first asked for later knows the path, too`() async throws {
        let recorder = LogRecorder()
        let handlers = WebSocketHandlers<Void>(message: { ws, _ in ws.logger.info("late") })
        try await serving(handlers, { $0.logger = recorder.logger() }) { server in
            let client = try SocketClient(port: server.port, path: "/room")
            try client.send("x")
            #expect(eventually { recorder.lines.contains { $0.hasPrefix("info: late path=/room remote=127.0.0.1:") } })
        }
    }
}
