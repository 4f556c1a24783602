import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

@Suite(.blocking) struct ReconnectTests {
    @Test(arguments: [
        (1, 500), (2, 1_000), (3, 2_000), (6, 16_000), (7, 30_000), (1_000, 30_000), (0, 500),
    ])
    func `a delay is anything up to a bound that doubles`(_ failures: Int, _ bound: Int) {
        var generator = SeededGenerator(seed: UInt64(failures))
        let delays = (0..<2_000).map { _ in
            ReconnectPolicy().delay(afterFailures: failures, using: &generator)
        }
        #expect(delays.allSatisfy { $0 >= .zero && $0 <= .milliseconds(bound) })
        #expect(delays.min()! < .milliseconds(bound) * 0.02 && delays.max()! > .milliseconds(bound) * 0.98)
        let mean = delays.reduce(.zero, +) / delays.count
        #expect(mean > .milliseconds(bound) * 0.45 && mean < .milliseconds(bound) * 0.55)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `waits end in the order of their times, and those of one time in the order of their beginning`(
        _ seed: UInt64
    ) {
        var generator = SeededGenerator(seed: seed)
        var queue = BackoffQueue()
        var waits: [(time: UInt64, wait: BackoffWait)] = []
        for _ in 0..<100 {
            let wait = (UInt64.random(in: 0..<50, using: &generator), BackoffWait())
            waits.append(wait)
            queue.insert(wait.1, until: wait.0)
        }
        let cancelled = waits.remove(at: 50).wait
        queue.remove(cancelled)
        for now in 0..<50 as Range<UInt64> {
            #expect(queue.nextTime == waits.map(\.time).min())
            let due = waits.filter { $0.time <= now }.map(\.wait)
            waits.removeAll { $0.time <= now }
            #expect(queue.takeDue(at: now).elementsEqual(due, by: ===) && queue.count == waits.count)
        }
    }

    @Test func `no delay is too long to be calculated with`() {
        var generator = SeededGenerator(seed: 1)
        for delay in [Duration.seconds(Int64.max), .nanoseconds(1), .zero, .seconds(Int64.min)] {
            let policy = ReconnectPolicy(initialDelay: delay, maxDelay: .seconds(Int64.max))
            for failures in [0, 1, 2, 31, 1_000] {
                #expect(policy.delay(afterFailures: failures, using: &generator) <= .seconds(Int64.max))
            }
        }
    }

    @Test(arguments: [
        (ReconnectPolicy(initialDelay: .zero), "initialDelay"), (.init(initialDelay: .seconds(-1)), "initialDelay"),
        (.init(initialDelay: .seconds(2), maxDelay: .seconds(1)), "maxDelay"),
        (.init(maxDelay: .seconds(-1)), "maxDelay"), (.init(stableTime: .seconds(-1)), "stableTime"),
        (.init(maxAttempts: 0), "maxAttempts"), (.init(maxAttempts: -1), "maxAttempts"),
    ])
    func `a policy that makes no sense is an error, and nothing is tried`(
        _ policy: ReconnectPolicy, _ name: String
    ) async throws {
        var policy = policy
        // Nobody listens there: an attempt would fail, once.
        policy.maxAttempts = policy.maxAttempts ?? 1
        policy.isFinalError = { _ in false }
        let connections = WebSocketClient.connections(to: try ClientRequest("ws://127.0.0.1:1/"), policy: policy)
        var iterator = connections.makeAsyncIterator()
        for _ in 0..<2 {
            do throws(WebSocketClientError) {
                _ = try await iterator.next()
                Issue.record("there is no socket")
            } catch {
                #expect(error.description.hasPrefix("\(name) is ") && error.description.contains(": "))
                guard error.code == .invalidRequest else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
    }

    @Test func `the codes that are final by default`() {
        let final = (1000...4999).filter { ReconnectPolicy.isFinalByDefault(CloseCode(rawValue: $0)) }
        #expect(final == [1002, 1003] + Array(1007...1010) + Array(3500...3999) + Array(4500...4999))
    }

    private func refusal(_ status: Int) -> WebSocketClientError {
        .refused(RefusedHandshake(status: .init(code: status)))
    }

    @Test func `the errors that are final by default`() {
        let isFinal = ReconnectPolicy.isFinalErrorByDefault
        #expect([400, 401, 403, 404, 426].allSatisfy { isFinal(refusal($0)) })
        #expect([408, 425, 429, 500, 503, 302].allSatisfy { !isFinal(refusal($0)) })
        #expect(!isFinal(.cannotConnect(to: "", "")) && !isFinal(.timedOut(.answer)) && isFinal(.invalidHandshake("")))
    }

    private static let quick = ReconnectPolicy(initialDelay: .milliseconds(1), maxDelay: .milliseconds(5))

    @Test func `a socket that the server closes is followed by another, until a code is final`() async throws {
        let codes = Journal<UInt16>()
        let server = ScriptedServer { peer in
            try peer.upgrade()
            let code: UInt16 = codes.entries.count < 3 ? 1012 : 4_500
            codes.note(code)
            try peer.sendFrame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)])
            _ = try peer.readFrame()
        }
        try await server.run {
            var seen: [CloseCode?] = []
            let request = try ClientRequest(server.url)
            for try await socket in WebSocketClient.connections(to: request, policy: Self.quick) {
                do { for try await _ in socket.messages {} } catch {}
                seen.append(socket.closeCode)
            }
            #expect(seen == [1012, 1012, 1012, 4_500])
        }
    }

    @Test func `attempts that fail are repeated, and final errors are thrown`() async throws {
        let attempts = Journal<Int>()
        let server = ScriptedServer { peer in
            _ = try peer.readHead()
            attempts.note(1)
            let status = attempts.entries.count < 4 ? "503 Busy" : "403 Go away"
            try peer.send("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
        }
        try await server.run {
            let iterator = WebSocketClient.connections(to: try ClientRequest(server.url), policy: Self.quick)
            var sockets = iterator.makeAsyncIterator()
            await #expect(throws: WebSocketClientError.self) { _ = try await sockets.next() }
            #expect(attempts.entries.count == 4)
        }
    }

    @Test(arguments: [(Duration.zero, 2), (.seconds(3_600), 1)])
    func `the end of a socket that lasted is no failed attempt`(_ stableTime: Duration, _ failures: Int) async throws {
        let attempts = Journal<Int>()
        let server = ScriptedServer { peer in
            attempts.note(1)
            if attempts.entries.count == 1 {
                try peer.upgrade()
                try peer.sendFrame(0x88, [0x03, 0xF4])
                _ = try peer.readFrame()
            } else {
                _ = try peer.readHead()
                try peer.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            }
        }
        try await server.run {
            var policy = Self.quick
            (policy.maxAttempts, policy.stableTime) = (2, stableTime)
            let sockets = WebSocketClient.connections(to: try ClientRequest(server.url), policy: policy)
            await #expect(throws: WebSocketClientError.self) {
                for try await socket in sockets {
                    do { for try await _ in socket.messages {} } catch {}
                }
            }
            #expect(attempts.entries.count == 1 + failures)
        }
    }

    @Test func `behind a socket that lasted the wait is short again`() {
        var count = ReconnectCount()
        for _ in 0..<5 { count.noteFailedAttempt() }
        #expect(count.failures == 5 && count.waits == 5)
        count.noteEnd(isStable: true)
        #expect(count.failures == 0 && count.waits == 1, "it lasted: no failure, and one short wait")
        count.noteEnd(isStable: false)
        #expect(count.failures == 1 && count.waits == 2)
    }

    @Test func `a socket that was closed here has no successor`() async throws {
        let server = ScriptedServer { peer in
            try peer.upgrade()
            _ = try peer.readFrame()
            try peer.sendFrame(0x88, [0x03, 0xE8])
        }
        try await server.run {
            var count = 0
            for try await socket in WebSocketClient.connections(to: try ClientRequest(server.url), policy: Self.quick) {
                count += 1
                await socket.close()
            }
            #expect(count == 1)
        }
    }

    @Test func `waiting for the next attempt can be cancelled`() async throws {
        let server = ScriptedServer { peer in
            _ = try peer.readHead()
            try peer.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        }
        try await server.run {
            let request = try ClientRequest(server.url)
            let task = Task {
                let policy = ReconnectPolicy(initialDelay: .seconds(10_000), maxDelay: .seconds(10_000))
                for try await _ in WebSocketClient.connections(to: request, policy: policy) {}
            }
            try await Task.sleep(for: .milliseconds(100))
            task.cancel()
            await #expect(throws: WebSocketClientError.cancelled) { try await task.value }
        }
    }
}
