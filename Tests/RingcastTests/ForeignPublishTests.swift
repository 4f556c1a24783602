import Ringcast
import Synchronization
import Testing

/// Publishes from threads that run no loop, as fast as they can.
@Suite struct ForeignPublishTests {
    static let threadCount = 2
    static let perThread = 100_000

    /// What threads were told of each of their messages, and how many were refused.
    final class Verdicts: Sendable {
        private let next = Mutex(Array(repeating: 0, count: threadCount))
        private let lists = Mutex<[[Int]]>(Array(repeating: [], count: threadCount))
        private let refused = Atomic(0)
        private let behind = Atomic(0)

        var refusedCount: Int { refused.load(ordering: .acquiring) }
        var behindCount: Int { behind.load(ordering: .acquiring) }
        /// By thread.
        var accepted: [[Int]] { lists.withLock { $0 } }
        var acceptedCount: Int { lists.withLock { $0.reduce(0) { $0 + $1.count } } }

        /// nil: it has published enough.
        func nextNumber(of thread: Int) -> Int? {
            next.withLock { next in
                guard next[thread] < perThread else { return nil }
                next[thread] += 1
                return next[thread] - 1
            }
        }

        func note(_ result: SendResult, thread: Int, number: Int) {
            switch result {
            case .dropped: refused.add(1, ordering: .releasing)
            case .backpressure: behind.add(1, ordering: .releasing)
            case .sent: break
            }
            if result != .dropped { lists.withLock { $0[thread].append(number) } }
        }
    }

    @Test func `what threads at full speed were not refused arrives, in the order of each`() async throws {
        let (gate, journal, verdicts) = (LaneTests.Gate(), Journal<String>(), Verdicts())
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 1 << 30),
            open: { ws in ws.subscribe(to: "t") },
            message: { _, _ in
                journal.note("held")
                gate.wait()
            })
        try await serving(handlers, { $0.loops = .count(1) }) { server in
            let subscriber = try SocketClient(port: server.port)
            // The loop stands still until the lane is full, and then runs while they go on.
            try subscriber.send("hold")
            #expect(journal.wait() == ["held"])
            let threads = (0..<Self.threadCount).map { thread in
                RepeatingThread {
                    guard let number = verdicts.nextNumber(of: thread) else { return pause(.milliseconds(1)) }
                    verdicts.note(server.publish("\(thread) \(number)", to: "t"), thread: thread, number: number)
                }
            }
            defer { for thread in threads { thread.stop() } }
            #expect(eventually { verdicts.refusedCount > 100 })
            gate.open()
            var received = Array(repeating: [Int](), count: Self.threadCount)
            func readOne() throws {
                let words = try subscriber.readText().split(separator: " ").compactMap { Int($0) }
                received[words[0]].append(words[1])
            }
            for _ in 0..<1 << 16 { try readOne() }
            #expect(eventually { verdicts.acceptedCount + verdicts.refusedCount == Self.threadCount * Self.perThread })
            let count = verdicts.acceptedCount
            while received.reduce(0, { $0 + $1.count }) < count { try readOne() }
            #expect(received == verdicts.accepted, "exactly what was accepted, in order")
            #expect(verdicts.behindCount > 0, "a full lane was told of before it was full")
            #expect(eventually { server.statistics[0].dropsInLanes == verdicts.refusedCount })
            #expect(server.statistics[0].deliveries == count)
            // That the reader has caught up is known a turn later.
            #expect(eventually { server.publish("done", to: "t") == .sent(bytes: 4) })
            #expect(try subscriber.readText() == "done", "and nothing twice")
        }
    }
}
