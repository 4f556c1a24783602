import ReactorTesting
import Synchronization
import Testing

@testable import Ringcast

/// What a task can ask of its socket, and of the handshake.
@Suite(.blocking, .timeLimit(.minutes(5))) struct ClientOperationTests {
    @Test func `a socket knows the server's answer, its address and where it is in its life`() async throws {
        let gate = Journal<Int>()
        let server = ScriptedServer { peer in
            try peer.upgrade(fields: ["Set-Cookie: a=1", "Set-Cookie: b=2", "X-Node: seven"])
            _ = gate.wait()
            let close = try peer.readFrame()
            try peer.sendFrame(close.first, close.payload)
        }
        try await server.run {
            let socket = try await WebSocketClient.connect(server.url)
            #expect(socket.responseHeaders[values: .setCookie] == ["a=1", "b=2"])
            #expect(socket.responseHeaders[HTTPField.Name("X-Node")!] == "seven")
            #expect(socket.remoteAddress?.description == "127.0.0.1:\(server.port)")
            #expect(socket.readyState == .open)
            let closing = Task { await socket.close() }
            #expect(eventually { socket.readyState == .closing })
            gate.note(1)
            await closing.value
            #expect(socket.readyState == .closed && socket.remoteAddress?.port == server.port)
        }
    }

    @Test func `a ping carries what it is given, and its pong counts for it and for earlier ones`() async throws {
        let pings = Journal<[UInt8]>()
        let gate = Journal<Int>()
        let server = ScriptedServer { peer in
            try peer.upgrade()
            for _ in 0..<4 { pings.note(try peer.readFrame().payload) }
            _ = gate.wait()
            try peer.sendFrame(0x8A, [0x62])
            try peer.sendFrame(0x8A, [UInt8](repeating: 7, count: 125))
            try peer.readToEnd()
        }
        try await server.run {
            let socket = try await WebSocketClient.connect(server.url)
            let payloads: [[UInt8]] = [[0x61], [], [0x62], [UInt8](repeating: 7, count: 200)]
            var tasks: [Task<Duration, any Error>] = []
            for (number, payload) in payloads.enumerated() {
                tasks.append(Task { try await socket.ping(payload) })
                #expect(pings.wait(for: number + 1).count == number + 1)
            }
            let sent = pings.entries
            #expect(sent[0] == [0x61] && sent[1].count == 8 && sent[2] == [0x62])
            #expect(sent[3] == [UInt8](repeating: 7, count: 125))
            gate.note(1)
            for task in tasks { #expect(try await task.value > .zero) }
            #expect(socket.channel.state.withLock { $0.pings.isEmpty && $0.payloads.isEmpty })
            socket.terminate()
        }
    }

    @Test func `payloads of pings that nobody answers do not pile up`() async throws {
        let server = ScriptedServer { peer in
            try peer.upgrade()
            try peer.readToEnd()
        }
        try await server.run {
            let socket = try await WebSocketClient.connect(server.url)
            for number in 0..<200 {
                let ping = Task { try await socket.ping([1, UInt8(number)]) }
                ping.cancel()
                await #expect(throws: WebSocketClientError.cancelled) { try await ping.value }
            }
            #expect(socket.channel.state.withLock { $0.pings.isEmpty && $0.payloads.count <= 64 })
            socket.terminate()
        }
    }

    @Test func `a pong goes out behind what was sent before`() async throws {
        let frames = Journal<[UInt8]>()
        let server = ScriptedServer { peer in
            try peer.upgrade()
            for _ in 0..<3 {
                let frame = try peer.readFrame()
                frames.note([frame.first] + frame.payload)
            }
            try peer.readToEnd()
        }
        try await server.run {
            let socket = try await WebSocketClient.connect(server.url)
            try await socket.send("a")
            try socket.pong([1, 2])
            try socket.pong()
            #expect(frames.wait(for: 3) == [[0x81, 0x61], [0x8A, 1, 2], [0x8A]])
            socket.terminate()
            await socket.close()
            #expect(throws: WebSocketClientError.self) { try socket.pong() }
        }
    }

    @Test func `a message is deflated, or not, as its sender says`() async throws {
        let options = WebSocketOptions(perMessageDeflate: true)
        let handlers = WebSocketHandlers<Void>(options: options, message: { ws, message in ws.send(message) })
        let configuration = ServerConfiguration(hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false)
        let server = try Server(configuration: configuration) { _ in .upgrade(to: handlers) }
        try await withThrowingTaskGroup { tasks in
            tasks.addTask(executorPreference: BlockingExecutor()) { try await server.run() }
            defer { server.stop(within: .zero, deadline: .zero) }
            let group = try ClientGroup()
            let request = try ClientRequest(port: server.port)
            let socket = try await WebSocketClient.connect(request, options: options, group: group)
            let iterator = socket.messages.makeAsyncIterator()
            let (long, short) = (String(repeating: "a", count: 4_000), String(repeating: "b", count: 100))
            let messages: [(String, Bool?, Int)] = [
                (long, false, 0), (short, nil, 0), (short, true, 1), (long, nil, 2),
            ]
            for (text, compress, count) in messages {
                try await socket.send(text, compress: compress)
                #expect(try await iterator.next() == .text(text))
                #expect(eventually { group.statistics[0].framesDeflated == count })
            }
            await socket.close()
        }
    }
}
