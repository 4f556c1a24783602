import ReactorTesting
import Synchronization
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Cancellation at each await of a client: no descriptor, no task, no memory stays behind.
@Suite(.blocking, .timeLimit(.minutes(5))) struct ClientCancellationTests {
    /// Where an attempt is stuck until it is cancelled.
    enum Stage: String, CaseIterable {
        case resolving, connecting, proxy, securing, answering

        func request(hole: Int, silent: Int) throws -> ClientRequest {
            switch self {
            case .resolving: return try ClientRequest("ws://no-such-host.invalid/")
            case .connecting: return try ClientRequest("ws://127.0.0.1:\(hole)/")
            case .proxy:
                var request = try ClientRequest("ws://somewhere.invalid/")
                request.proxy = HTTPProxy(hostname: "127.0.0.1", port: silent)
                return request
            case .securing: return try ClientRequest("wss://127.0.0.1:\(silent)/")
            case .answering: return try ClientRequest("ws://127.0.0.1:\(silent)/")
            }
        }
    }

    @Test(arguments: Stage.allCases)
    func `a connection that is cancelled on its way leaves nothing`(_ stage: Stage) async throws {
        let hole = BlackHole()
        let silent = ScriptedServer { try $0.readToEnd() }
        try await silent.run {
            let request = try stage.request(hole: hole.port, silent: silent.port)
            try await expectNothingLeft { group, census in
                // Nil: the task is cancelled before it connects.
                for delay in [nil, 0, 0, 1, 2, 5, 30, 30] {
                    let error = await census.errorOfConnecting(to: request, cancelledAfter: delay)
                    // A name server may have been quicker.
                    if stage == .resolving, error?.code == .nameNotResolved { continue }
                    #expect(error == .cancelled)
                }
            }
        }
    }

    @Test func `cancelled in the moment it is accepted, a connection is a socket or nothing`() async throws {
        let server = ScriptedServer { peer in
            try peer.upgrade()
            _ = try peer.readFrame()
        }
        try await server.run {
            let request = try ClientRequest(server.url)
            try await expectNothingLeft { group, census in
                for lap in 0..<100 {
                    let error = await census.errorOfConnecting(to: request, cancelledAfter: nil, lap * 20)
                    #expect(error == nil || error == .cancelled)
                }
            }
        }
    }

    @Test func `a reader that is cancelled takes no message with it`() async throws {
        let gate = Journal<Int>()
        let server = ScriptedServer { peer in
            try peer.upgrade()
            _ = gate.wait()
            for text in ["a", "b"] { try peer.sendFrame(0x81, Array(text.utf8)) }
            _ = try peer.readFrame()
        }
        try await server.run {
            let request = try ClientRequest(server.url)
            try await expectNothingLeft { group, census in
                let socket = try await census.connect(to: request)
                let channel = socket.channel
                for lap in 0..<20 {
                    let reader = Task {
                        if lap == 0 { cancelCurrentTask() }
                        for try await _ in socket.messages {}
                    }
                    if lap > 0 { #expect(eventually { channel.state.withLock { !$0.readers.isEmpty } }) }
                    reader.cancel()
                    await #expect(throws: WebSocketClientError.cancelled) { try await reader.value }
                    #expect(channel.state.withLock { $0.readers.isEmpty })
                }
                gate.note(1)
                let iterator = socket.messages.makeAsyncIterator()
                #expect(try await iterator.next() == .text("a"))
                #expect(try await iterator.next() == .text("b"))
            }
        }
    }

    @Test func `a message whose sending is cancelled is not sent, and those around it are`() async throws {
        let gate = Journal<Int>()
        let seen = Journal<UInt8>()
        let server = ScriptedServer { peer in
            try peer.upgrade()
            _ = gate.wait()
            while let number = try peer.readFrame().payload.first { seen.note(number) }
        }
        try await server.run {
            let request = try ClientRequest(server.url)
            try await expectNothingLeft { group, census in
                let socket = try await census.connect(to: request)
                let channel = socket.channel
                let sent = Journal<UInt8>()
                // More than the sockets' buffers and the queue take.
                let sender = Task {
                    for number in UInt8(0)..<250 {
                        try await socket.send([UInt8](repeating: number, count: 100_000))
                        sent.note(number)
                    }
                }
                var before = -1
                while before != sent.entries.count || channel.state.withLock({ $0.senders.isEmpty }) {
                    before = sent.entries.count
                    try await Task.sleep(for: .milliseconds(100))
                }
                sender.cancel()
                await #expect(throws: WebSocketClientError.cancelled) { try await sender.value }
                #expect(channel.state.withLock { $0.senders.isEmpty } && sent.entries.count < 250)
                gate.note(1)
                try await socket.send([255])
                #expect(eventually { seen.entries.last == 255 })
                #expect(seen.entries == sent.entries + [255])
                // An empty message ends the server's reading.
                try await socket.send([])
            }
        }
    }

    @Test func `a ping that is cancelled is forgotten, and its pong is nobody's`() async throws {
        let gate = Journal<Int>()
        let server = ScriptedServer { peer in
            try peer.upgrade()
            var payloads: [[UInt8]] = []
            while payloads.count < 19 { payloads.append(try peer.readFrame().payload) }
            _ = gate.wait()
            for payload in payloads { try peer.sendFrame(0x8A, payload) }
            try peer.sendFrame(0x8A, try peer.readFrame().payload)
            _ = try peer.readFrame()
        }
        try await server.run {
            let request = try ClientRequest(server.url)
            try await expectNothingLeft { group, census in
                let socket = try await census.connect(to: request)
                for lap in 0..<20 {
                    let ping = Task {
                        if lap == 0 { cancelCurrentTask() }
                        try await socket.ping()
                    }
                    if lap > 0 { #expect(eventually { socket.channel.state.withLock { !$0.pings.isEmpty } }) }
                    ping.cancel()
                    await #expect(throws: WebSocketClientError.cancelled) { try await ping.value }
                    #expect(socket.channel.state.withLock { $0.pings.isEmpty })
                }
                gate.note(1)
                #expect(try await socket.ping() > .zero)
            }
        }
    }

    @Test func `a close that is cancelled cuts the connection`() async throws {
        let ended = Journal<Int>()
        let server = ScriptedServer { peer in
            try peer.upgrade()
            // No answer to the Close frame, if that has left before the cut.
            try peer.readToEnd()
            ended.note(1)
        }
        try await server.run {
            let request = try ClientRequest(server.url)
            try await expectNothingLeft { group, census in
                for lap in 0..<2 {
                    // Only a cut ends the connection.
                    let socket = try await census.connect(to: request, .init(closeTimeout: .seconds(3_600)))
                    let closing = Task {
                        if lap == 1 { cancelCurrentTask() }
                        await socket.close()
                    }
                    if lap == 0 { #expect(eventually { socket.channel.state.withLock { !$0.closers.isEmpty } }) }
                    closing.cancel()
                    await closing.value
                    #expect(eventually { socket.closeCode == .abnormalClosure })
                    #expect(socket.channel.state.withLock { $0.closers.isEmpty })
                }
                #expect(ended.wait(for: 2) == [1, 1])
            }
        }
    }

    @Test func `a close goes through though messages wait to be read`() async throws {
        let server = ScriptedServer { peer in
            try peer.upgrade()
            for _ in 0..<100 { try peer.sendFrame(0x81, [0x61]) }
            try peer.sendFrame(0x88, try peer.readFrame().payload)
        }
        try await server.run {
            let request = try ClientRequest(server.url)
            try await expectNothingLeft { group, census in
                let socket = try await census.connect(to: request, .init(maxWaitingMessages: 4))
                #expect(eventually { socket.channel.state.withLock { $0.isPaused } })
                await socket.close()
                #expect(socket.closeCode == .normalClosure)
            }
        }
    }

    @Test func `waiting to connect again can be cancelled`() async throws {
        let failures = Journal<WebSocketClientError>()
        try await expectNothingLeft { group, census in
            let policy = ReconnectPolicy(
                initialDelay: .seconds(36_000), maxDelay: .seconds(36_000),
                isFinalError: { error in
                    failures.note(error)
                    return false
                })
            let request = try ClientRequest("ws://127.0.0.1:1/")
            let task = Task {
                for try await _ in WebSocketClient.connections(to: request, group: group, policy: policy) {}
            }
            #expect(eventually { failures.entries.count == 1 })
            task.cancel()
            await #expect(throws: WebSocketClientError.cancelled) { try await task.value }
        }
    }
}
