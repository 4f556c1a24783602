import Ringcast
import RingcastTesting
import Synchronization
import Testing

@Suite struct LoopLocalTests {
    private final class Count: Sendable {
        let made = Mutex(0)
        let freed = Mutex(0)
    }

    private final class Value {
        let count: Count
        var text = ""

        init(_ count: Count) {
            self.count = count
            count.made.withLock { $0 += 1 }
        }

        deinit { count.freed.withLock { $0 += 1 } }
    }

    @Test func `each loop makes its own when it is asked for, and frees it at its end`() throws {
        let count = Count()
        let local = LoopLocal { Value(count) }
        let handlers = WebSocketHandlers<Void>(
            message: { ws, message in
                local[ws].text += message.string
                ws.send(local[ws].text)
            })
        do {
            let app = try TestServer(loops: 3) { _ in .upgrade(to: handlers) }
            let clients = try [0, 0, 1].map { try app.connect(on: $0) }
            #expect(count.made.withLock { $0 } == 0)
            for (client, text) in zip(clients, ["a", "b", "c"]) { client.send(text) }
            #expect(clients.map { $0.received.map(\.string) } == [["a"], ["ab"], ["c"]])
            #expect(count.made.withLock { $0 } == 2 && count.freed.withLock { $0 } == 0)
        }
        #expect(count.freed.withLock { $0 } == 2)
    }

    @Test func `two of them, and two servers, have nothing in common`() async throws {
        let (first, second) = (LoopLocal { 0 }, LoopLocal { [String]() })
        let handlers = WebSocketHandlers<Void>(
            message: { ws, message in
                first[ws] += 1
                second[ws].append(message.string)
            })
        let apps = try (0..<2).map { _ in try TestServer(loops: 2) { _ in .upgrade(to: handlers) } }
        let ann = try apps[0].connect(on: 1)
        for text in ["x", "y"] { ann.send(text) }
        #expect(try await apps[0].serving { await first.values(of: $0) } == [0, 2])
        #expect(try await apps[0].serving { await second.values(of: $0) } == [[], ["x", "y"]])
        #expect(try await apps[1].serving { await first.values(of: $0) } == [0, 0])
        apps[1].stop()
        let ended = apps[1].server
        #expect(await first.values(of: ended).isEmpty)
    }

    @Test func `changing it while it is being changed traps`() async {
        await #expect(processExitsWith: .failure) {
            let local = LoopLocal { 0 }
            let handlers = WebSocketHandlers<Void>(
                message: { ws, _ in
                    func change(_ value: inout Int, _ other: borrowing WebSocket<Void>) { local[other] += 1 }
                    change(&local[ws], ws)
                })
            let app = try TestServer { _ in .upgrade(to: handlers) }
            try app.connect().send("go")
        }
    }
}
