import ReactorTesting
import Synchronization
import Testing

@testable import Ringcast

/// Who waits for a pong is told once, whatever comes first.
@Suite(.blocking, .timeLimit(.minutes(5))) struct ClientPingTests {
    private func withSocket(
        _ options: WebSocketOptions = WebSocketOptions(), script: @escaping @Sendable (ScriptedPeer) throws -> Void,
        _ body: (WebSocketClient) async throws -> Void
    ) async throws {
        let server = ScriptedServer { peer in
            try peer.upgrade()
            try script(peer)
        }
        try await server.run {
            let socket = try await WebSocketClient.connect(server.url, options: options)
            try await body(socket)
            socket.terminate()
        }
    }

    private func pingCount(_ socket: WebSocketClient) -> Int { socket.channel.state.withLock { $0.pings.count } }

    @Test func `a pong counts for earlier pings, also when its own is not waited for any more`() async throws {
        let gate = Journal<Int>()
        try await withSocket(script: { peer in
            _ = try peer.readFrame()
            let last = try peer.readFrame().payload
            _ = gate.wait()
            try peer.sendFrame(0x8A, last)
            try peer.readToEnd()
        }) { socket in
            let first = Task { try await socket.ping() }
            #expect(eventually { pingCount(socket) == 1 })
            let second = Task { try await socket.ping() }
            #expect(eventually { pingCount(socket) == 2 })
            second.cancel()
            await #expect(throws: WebSocketClientError.cancelled) { try await second.value }
            gate.note(1)
            let time = try await first.value
            #expect(time > .zero)
            #expect(pingCount(socket) == 0)
        }
    }

    @Test func `a pong that answers nothing is nobody's`() async throws {
        let gate = Journal<Int>()
        try await withSocket(script: { peer in
            let payload = try peer.readFrame().payload
            for wrong in [[], [1], [UInt8](repeating: 0xFF, count: 8), [UInt8](repeating: 0, count: 8)] {
                try peer.sendFrame(0x8A, wrong)
            }
            try peer.sendFrame(0x81, [0x61])
            _ = gate.wait()
            try peer.sendFrame(0x8A, payload)
            try peer.readToEnd()
        }) { socket in
            let ping = Task { try await socket.ping() }
            // What came before the message has been looked at.
            let message = try await socket.messages.makeAsyncIterator().next()
            #expect(message == .text("a"))
            #expect(pingCount(socket) == 1)
            gate.note(1)
            let time = try await ping.value
            #expect(time > .zero)
        }
    }

    /// A peer that reads nothing until it is let, and then answers each ping.
    private static func answerPings(behind gate: Journal<Int>) -> @Sendable (ScriptedPeer) throws -> Void {
        { peer in
            _ = gate.wait()
            while true {
                let frame = try peer.readFrame()
                if frame.first == 0x89 { try peer.sendFrame(0x8A, frame.payload) }
            }
        }
    }

    @Test func `a ping behind a queue that is over its limit has room of its own, and is answered`() async throws {
        let gate = Journal<Int>()
        // The peer may need minutes for all of it: under a sanitizer, on a machine that has other things to do.
        let options = WebSocketOptions(backpressureLimit: 1, idleTimeout: .seconds(3_600))
        try await withSocket(options, script: Self.answerPings(behind: gate)) { socket in
            // Far more than the system's buffers take, so that the queue is over its limit.
            try await socket.send([UInt8](repeating: 1, count: 32 << 20))
            #expect(eventually { socket.channel.state.withLock { $0.isBlocked } })
            let pings = (0..<2).map { _ in Task { try await socket.ping() } }
            #expect(eventually { socket.channel.state.withLock { $0.pings.count == 2 } })
            gate.note(1)
            for ping in pings { _ = try await ping.value }
            #expect(pingCount(socket) == 0)
        }
    }

    @Test func `a ping without any room is sent once there is some, and answers for all that had none`() async throws {
        let gate = Journal<Int>()
        let options = WebSocketOptions(backpressureLimit: 1, idleTimeout: .seconds(3_600))
        try await withSocket(options, script: Self.answerPings(behind: gate)) { socket in
            try await socket.send([UInt8](repeating: 1, count: 32 << 20))
            #expect(eventually { socket.channel.state.withLock { $0.isBlocked } })
            // Control frames have 64 KiB of their own: not enough for these.
            let count = (64 << 10) / 125 + 50
            let pings = (0..<count).map { number in
                let payload = Array("\(number) ".utf8) + [UInt8](repeating: 0x2E, count: 110)
                return Task { try await socket.ping(payload) }
            }
            #expect(eventually { socket.channel.state.withLock { $0.pings.count == count && $0.isPingDue } })
            gate.note(1)
            for ping in pings { _ = try await ping.value }
            #expect(pingCount(socket) == 0 && !socket.channel.state.withLock { $0.isPingDue })
        }
    }

    @Test func `each of many waiters is resumed once: by its pong, its cancellation, or the end`() async throws {
        for lap in 0..<20 {
            try await withSocket(script: { peer in
                // Some are answered, and then the connection ends under the others.
                for _ in 0..<(20 + lap) {
                    let payload = try peer.readFrame().payload
                    if payload.last! % 3 == 0 { try peer.sendFrame(0x8A, payload) }
                }
            }) { socket in
                let results = await withTaskGroup(of: Bool.self) { tasks in
                    for number in 0..<60 {
                        let ping = Task { try await socket.ping() }
                        tasks.addTask {
                            if number % 2 == 0 { ping.cancel() }
                            return (try? await ping.value) != nil
                        }
                    }
                    return await tasks.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(results <= 60 && pingCount(socket) == 0)
            }
        }
    }
}
