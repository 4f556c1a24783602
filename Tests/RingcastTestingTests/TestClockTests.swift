import Ringcast
import Testing

@testable import RingcastTesting

@Suite struct TestClockTests {
    @Test func `it stands still, and goes on as it is told`() throws {
        let clock = TestClock()
        let app = try TestServer(clock: clock) { _ in .response(.ok) }
        let beginning = clock.now
        app.rest()
        #expect(clock.now == beginning && beginning.offset == .zero)
        app.advance(by: .microseconds(1_500))
        #expect(clock.now.offset == .milliseconds(2) && app.clock.now == clock.now)
        app.advance(by: .seconds(-1))
        #expect(beginning.duration(to: clock.now) == .milliseconds(2))
        #expect(beginning.advanced(by: .milliseconds(2)) == clock.now && beginning < clock.now)
    }

    @Test func `sleepers wake at their moments, those of one moment in order, and what they do comes between`() throws {
        let clock = TestClock()
        let journal = Journal()
        let handlers = WebSocketHandlers<Void>(open: { ws in
            for (name, seconds) in [("c", 3), ("a", 1), ("b", 2), ("d", 3)] {
                ws.task { _ in
                    try await clock.sleep(for: .seconds(seconds))
                    journal.note("\(name) \(clock.now)")
                    try await clock.sleep(for: .milliseconds(500))
                    journal.note("\(name) again")
                }
            }
        })
        let app = try TestServer(clock: clock) { _ in .upgrade(to: handlers) }
        let client = try app.connect()
        app.advance(by: .seconds(10))
        #expect(
            journal.entries == [
                "a 1.0 seconds", "a again", "b 2.0 seconds", "b again", "c 3.0 seconds", "d 3.0 seconds", "c again",
                "d again",
            ])
        #expect(client.isOpen)
    }

    @Test func `a sleep that is over does not wait, and one that is cancelled ends`() async throws {
        let clock = TestClock()
        try await clock.sleep(until: clock.now)
        let early = Task { try await clock.sleep(for: .seconds(1)) }
        early.cancel()
        await #expect(throws: CancellationError.self) { try await early.value }
        let journal = Journal()
        let handlers = WebSocketHandlers<Void>(open: { ws in
            ws.task { _ in
                do { try await clock.sleep(for: .seconds(3_600)) } catch { journal.note("\(type(of: error))") }
            }
        })
        let app = try TestServer(clock: clock) { _ in .upgrade(to: handlers) }
        try app.connect().close()
        app.rest()
        #expect(journal.entries == ["CancellationError"], "with its socket")
    }

    @Test func `a sleep that is cancelled when it has been woken leaves nothing behind`() async throws {
        let clock = TestClock()
        let app = try TestServer(clock: clock) { _ in .response(.ok) }
        let tasks = (0..<200).map { _ in Task { try await clock.sleep(for: .milliseconds(1)) } }
        while clock.noted < tasks.count { await Task.yield() }
        // Woken here, most of them run only when they have been cancelled as well.
        app.advance(by: .milliseconds(1))
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.result }
        #expect(clock.noted == 0)
    }
}
