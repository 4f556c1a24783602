import Dispatch
import Glibc
import Ringcast
import RingcastTesting
import Synchronization
import Testing

/// What docs/state-and-threads.md says of order, and of what runs on which thread.
@Suite struct ThreadPageTests {
    @Test func `what a handler sends and publishes comes in that order`() throws {
        let news = WebSocketHandlers<Void>(
            options: .init(publishToSelf: true),
            open: { ws in
                ws.subscribe(to: "news")
                ws.publish("first", to: "news")
                ws.send("second")
                ws.reference.send("third")
                ws.close()
            })
        let app = try TestServer { _ in .upgrade(to: news) }
        let ann = try app.connect()
        #expect(ann.received.map(\.string) == ["first", "second", "third"] && ann.closeCode == .normalClosure)
    }

    /// Swift's own threads, one for each core: for what computes.
    func computing<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await Task.detached { work() }.value
    }

    static let threads = DispatchQueue(label: "files", attributes: .concurrent)

    /// Threads that may wait, for files and for libraries that know no `await`.
    func blocking<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Self.threads.async { continuation.resume(returning: work()) }
        }
    }

    private actor Desk {
        func thread() -> pthread_t { pthread_self() }
    }

    @Test func `tasks of a socket and the actors that they call are on its loop, other work is not`() async throws {
        let desk = Desk()
        let here = WebSocketHandlers<Void>(
            message: { ws, _ in
                let loop = pthread_self()
                ws.task { socket in
                    let before = pthread_self()
                    let actor = await desk.thread()
                    let computed = await self.computing { pthread_self() }
                    let waited = await self.blocking { pthread_self() }
                    async let child = Self.thread()
                    let task = await Task { pthread_self() }.value
                    let places = [before, actor, await child, pthread_self(), computed, waited, task]
                        .map { $0 == loop ? "loop" : "elsewhere" }
                    socket.send(places.joined(separator: " "))
                }
            })
        let server = try Server(
            configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(2), pinsThreads: false)
        ) { _ in .upgrade(to: here) }
        async let end: Void = server.run()
        let ann = try await WebSocketClient.connect("ws://127.0.0.1:\(server.port)/")
        try await ann.send("where?")
        for try await message in ann.messages {
            #expect(message.string == "loop loop loop loop elsewhere elsewhere elsewhere")
            server.stop(within: .zero)
        }
        try await end
    }

    private static func thread() async -> pthread_t { pthread_self() }
}
