import HTTPTypes
import Ringcast
import RingcastTesting
import Synchronization
import Testing

/// What runs as tasks on the loops, and what waits elsewhere.
@Suite struct TaskTests {
    private actor Directory {
        private var asked = 0

        func name(of token: String) async -> String? {
            asked += 1
            await Task.yield()
            return token == "t1" ? "ann \(asked)" : nil
        }
    }

    @Test func `a look-up by an actor is done when connect returns`() throws {
        let directory = Directory()
        let handlers = WebSocketHandlers<String>(
            asyncMessage: { ref, message in ref.send("\(await directory.name(of: message.string) ?? "nobody")") })
        let app = try TestServer(loops: 2) { request in
            let token = request.query("token") ?? ""
            return .deferred {
                guard let name = await directory.name(of: token) else { return .response(.unauthorized) }
                return .upgrade(to: handlers, with: name)
            }
        }
        let client = try app.connect("/?token=t1")
        client.send("t1")
        client.send("t2")
        #expect(client.received.map(\.string) == ["ann 2", "nobody"])
        #expect(throws: TestClientError.self) { try app.connect("/?token=t9") }
    }

    /// A handler that sleeps for a minute by the clock that it is given.
    private func napping(by clock: any Clock<Duration>) -> @Sendable (borrowing Request) throws -> Reply {
        let handlers = WebSocketHandlers<Void>(open: { ws in
            ws.task { ref in
                for count in 1...3 {
                    try await clock.sleep(for: .seconds(60))
                    ref.send("\(count)")
                }
            }
        })
        return { request in
            request.path == "/ticks"
                ? .upgrade(to: handlers)
                : .deferred(within: .seconds(90)) {
                    try await clock.sleep(for: .seconds(60))
                    return .response(.ok, "good morning")
                }
        }
    }

    @Test func `who sleeps by the server's clock wakes when the test lets time pass`() throws {
        let clock = TestClock()
        let app = try TestServer(clock: clock, fetch: napping(by: clock))
        let client = try app.connect("/ticks")
        #expect(throws: TestClientError.unanswered) { try app.request() }
        let request = try app.beginRequest()
        app.advance(by: .seconds(59))
        #expect(client.received == [] && request.response == nil)
        app.advance(by: .seconds(1))
        #expect(client.received.map(\.string) == ["1"] && request.response?.string == "good morning")
        app.advance(by: .seconds(600))
        #expect(client.received.map(\.string) == ["1", "2", "3"])
        client.close()
    }

    @Test func `a streamed answer is read as it comes, and whole in the end`() throws {
        let clock = TestClock()
        let app = try TestServer(clock: clock) { request in
            .stream(headers: [.contentType: "text/plain"]) { writer in
                for number in 1...3 {
                    try await writer.write("\(number) ")
                    try await clock.sleep(for: .seconds(60))
                }
            }
        }
        let request = try app.beginRequest()
        #expect(request.status == .ok && request.headers?[.transferEncoding] == "chunked")
        #expect(request.string == "1 " && request.response == nil)
        app.advance(by: .seconds(60))
        #expect(request.string == "1 2 ")
        app.advance(by: .seconds(120))
        #expect(request.response?.string == "1 2 3 ")
        let leaving = try app.beginRequest()
        leaving.reset()
        app.advance(by: .seconds(1))
        #expect(app.server.pendingRequests == 0)
    }

    @Test func `a topic's events are read as they are published`() throws {
        let app = try TestServer(loops: 2) { _ in .events(of: "news") }
        let readers = [try app.beginRequest(on: 0), try app.beginRequest(on: 1)]
        app.server.publish("hello", to: "news")
        #expect(readers.map(\.string) == ["data: hello\n\n", "data: hello\n\n"])
        app.advance(by: .seconds(16))
        #expect(readers[0].string == "data: hello\n\n:\n\n")
        readers[0].end()
        #expect(app.server.subscriberCount(of: "news") == 1)
        app.stop()
        #expect(readers[1].response?.status == .ok)
    }

    @Test func `who sleeps by another clock is waited for in real time`() async throws {
        let mayWake = Mutex(true)
        let app = try TestServer { request in
            let isUpgrade = request.isWebSocketUpgrade
            return .deferred {
                repeat { try await Task.sleep(for: .milliseconds(1)) } while mayWake.withLock { !$0 }
                return isUpgrade
                    ? .upgrade(to: WebSocketHandlers<Void>(open: { ws in ws.send("welcome") })) : .response(.ok, "late")
            }
        }
        #expect(try await app.beginRequest().answered().string == "late")
        #expect(try await app.beginConnecting().opened().received.map(\.string) == ["welcome"])
        mayWake.withLock { $0 = false }
        let client = try app.beginConnecting()
        #expect(!client.isOpen && client.response == nil)
        mayWake.withLock { $0 = true }
        try await app.serve { client.isOpen }
        #expect(client.received.count == 1 && app.clock.now.offset == .zero)
        await #expect(throws: TestClientError.timedOut) {
            try await app.serve(within: .milliseconds(1)) { false }
        }
    }

    @Test func `what is asked with await is answered while it serves`() async throws {
        let handlers = WebSocketHandlers<Int>(
            open: { ws in ws.subscribe(to: "all") }, message: { ws, _ in ws.data += 1 })
        let app = try TestServer(loops: 3) { _ in .upgrade(to: handlers, with: 5) }
        let clients = try (0..<3).map { _ in try app.connect() }
        clients[0].send("count")
        let references = try await app.serving { await $0.sockets(in: "all", of: Int.self) }
        #expect(references.count == 3)
        let sum = try await app.serving { _ in
            var sum = 0
            for reference in references { sum += await reference.perform { $0.data } ?? 0 }
            return sum
        }
        #expect(sum == 16)
        await #expect(throws: CancellationError.self) {
            try await app.serving { _ in throw CancellationError() }
        }
    }
}
