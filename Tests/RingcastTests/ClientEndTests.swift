import Glibc
import Logging
import ReactorTesting
import Synchronization
import Testing
import WebSocketProtocol

@testable import Ringcast

/// A task that waits for the end of its socket may end the process when it goes on: by then the Close has left.
@Suite struct ClientEndTests {
    /// A client on a loop that the test turns; its tasks run on that loop too.
    private final class Client {
        let simulation: SimulatedLoop
        let channel: ClientChannel
        let journal = Journal<String>()
        private let core: SocketCore
        private var loop: SocketLoop?

        init(_ options: WebSocketOptions = WebSocketOptions(), window: Int = .max) throws {
            var configuration = ServerConfiguration(port: 0)
            configuration.logger.logLevel = .critical
            let core = SocketCore(configuration: configuration, loopCount: 1)
            self.core = core
            var made: SocketLoop?
            simulation = SimulatedLoop { loop in
                let loop = SocketLoop(core: core, loop: loop)
                made = loop
                return loop
            }
            loop = made
            channel = ClientChannel(options)
            try connect(options)
            peer.window = window
        }

        var peer: SimulatedPeer { simulation.driver.outboundPeers[0] }

        private func connect(_ options: WebSocketOptions) throws {
            let (channel, core, journal) = (channel, core, journal)
            let executor = simulation.loop.executor
            let request = try ClientRequest("ws://127.0.0.1:80/")
            run { _ in
                let error = await channel.open { failed in
                    let upgrade = Upgrade(
                        to: ClientChannel.handlers(options), with: channel, headers: [:], subprotocol: nil)
                    core.currentLoop?.connect(1, request, upgrade, tls: nil, failed: failed)
                    return ClientAttempt(core: core, executor: executor, id: 1)
                }
                journal.note(error.map { "\($0)" } ?? "open")
            }
            peer.connectResult = 0
            simulation.rest()
            let head = String(decoding: peer.takeReceivedBytes(), as: UTF8.self)
            peer.send(Array(ScriptedPeer.answer(to: head).utf8))
            simulation.rest()
            try #require(journal.entries == ["open"])
        }

        /// Begins a task on the loop.
        func run(_ body: @escaping @Sendable (ClientChannel) async throws -> Void) {
            let channel = channel
            Task(executorPreference: simulation.loop.executor) { try await body(channel) }
            simulation.rest()
        }

        /// Begins to read to the end.
        func read() {
            let journal = journal
            run { channel in
                do throws(WebSocketClientError) {
                    while let message = try await channel.read() { journal.note(message.string) }
                    journal.note("end")
                } catch {
                    journal.note("\(error)")
                }
            }
        }

        func close(_ code: CloseCode = .normalClosure) {
            let journal = journal
            run { channel in
                await channel.close(code, reason: "")
                journal.note("closed")
            }
        }

        func send(_ bytes: [UInt8]) {
            peer.send(bytes)
            simulation.rest()
        }

        /// Opcodes, and lengths of the payloads, that have come.
        func frames() -> [String] {
            var rest = peer.receivedBytes[...]
            var frames: [String] = []
            while rest.count >= 6 {
                let start = rest.startIndex
                let short = Int(rest[start + 1] & 0x7F)
                let extra = short == 126 ? 2 : short == 127 ? 8 : 0
                let length = extra == 0 ? short : rest[start + 2..<start + 2 + extra].reduce(0) { $0 << 8 | Int($1) }
                guard rest.count >= 6 + extra + length else { break }
                frames.append("\(Opcode(rawValue: rest[start] & 0x0F)!) \(length)")
                rest = rest.dropFirst(6 + extra + length)
            }
            return frames
        }
    }

    private static let close: [UInt8] = [0x88, 2, 0x03, 0xE8]

    @Test func `reading to the end lasts until the Close has left and the server has ended the connection`() throws {
        let client = try Client(window: 0)
        client.read()
        client.send([0x81, 2, 104, 105] + Self.close)
        #expect(client.journal.entries == ["open", "hi"])
        client.peer.makeRoom(100)
        client.simulation.rest()
        #expect(client.frames() == ["close 2"])
        #expect(client.journal.entries == ["open", "hi"])
        client.peer.end()
        client.simulation.rest()
        #expect(client.journal.entries == ["open", "hi", "end"])
    }

    @Test func `a task that sends for ever ends with the connection, though one turn hears of both`() throws {
        let client = try Client()
        let (journal, gate) = (client.journal, Gate())
        client.run { channel in
            _ = await gate.wait()
            do throws(WebSocketClientError) {
                for _ in 0..<1_000 { try await channel.send(.binary([1]), compress: nil) }
                journal.note("nothing refused it")
            } catch {
                journal.note("threw")
            }
        }
        client.peer.reset()
        gate.open()
        client.simulation.rest()
        #expect(journal.entries == ["open", "threw"])
    }

    @Test func `so do close, and sends and pings that wait`() throws {
        let client = try Client(window: 0)
        client.close()
        let journal = client.journal
        client.run { channel in
            do throws(WebSocketClientError) { try await channel.ping([]) } catch { journal.note("no pong") }
        }
        client.send(Self.close)
        #expect(client.journal.entries == ["open"])
        client.peer.makeRoom(100)
        client.simulation.rest()
        #expect(client.frames() == ["close 2", "ping 8"] || client.frames() == ["close 2"])
        #expect(client.journal.entries == ["open"])
        client.peer.end()
        client.simulation.rest()
        #expect(Set(client.journal.entries) == ["open", "closed", "no pong"])
    }

    @Test func `a server that never ends the connection is not waited for any longer than the time for closing`() throws
    {
        let client = try Client(WebSocketOptions(closeTimeout: .seconds(1)))
        client.read()
        client.send(Self.close)
        #expect(client.frames() == ["close 2"])
        #expect(client.journal.entries == ["open"])
        client.simulation.advance(milliseconds: 1_100)
        #expect(client.journal.entries == ["open", "end"])
    }

    @Test func `a violation's Close has left before it is thrown`() throws {
        let client = try Client(window: 0)
        client.read()
        client.send([0x83, 0])
        #expect(client.journal.entries == ["open"])
        client.peer.makeRoom(1_000)
        client.simulation.rest()
        #expect(client.frames().first?.hasPrefix("close") == true && client.journal.entries == ["open"])
        client.peer.end()
        client.simulation.rest()
        #expect(client.journal.entries.count == 2 && client.channel.state.withLock { $0.ending } != nil)
    }

    @Test func `a connection that is cut ends all at once`() throws {
        let client = try Client(window: 0)
        client.read()
        client.close()
        client.peer.reset()
        client.simulation.rest()
        #expect(client.journal.entries.count == 3)
    }

    @Test(arguments: [1, 1_000, 64 << 10])
    func `what was sent before leaves before the Close, however little may be queued`(_ limit: Int) throws {
        let client = try Client(WebSocketOptions(backpressureLimit: limit), window: 10_000)
        let journal = client.journal
        client.run { channel in
            for _ in 0..<2 { try await channel.send(.binary([UInt8](repeating: 1, count: 60_000)), compress: nil) }
            journal.note("sent")
            await channel.close(.normalClosure, reason: "")
            journal.note("closed")
        }
        #expect(client.journal.entries == ["open", "sent"])
        for _ in 0..<20 {
            client.peer.makeRoom(10_000)
            client.simulation.rest()
        }
        #expect(client.frames() == ["binary 60000", "binary 60000", "close 2"])
        client.send(Self.close)
        client.peer.end()
        client.simulation.rest()
        #expect(client.journal.entries == ["open", "sent", "closed"])
    }

    @Test func `a server that takes nothing of it is not waited for any longer either`() throws {
        let client = try Client(WebSocketOptions(backpressureLimit: 1_000), window: 0)
        let journal = client.journal
        client.run { channel in
            for _ in 0..<2 { try await channel.send(.binary([UInt8](repeating: 1, count: 60_000)), compress: nil) }
            await channel.close(.normalClosure, reason: "")
            journal.note("closed")
        }
        client.simulation.advance(milliseconds: 4_900)
        #expect(client.journal.entries == ["open"])
        client.simulation.advance(milliseconds: 300)
        #expect(client.journal.entries == ["open", "closed"])
    }
}

/// The same with processes that end as soon as they can.
@Suite(.timeLimit(.minutes(10))) struct ClientProcessTests {
    enum End: String, CaseIterable, Codable, Sendable { case messages, close, group }

    @Test(arguments: End.allCases)
    func `a process that ends behind its socket has sent its Close, in each of twenty runs`(_ end: End) async throws {
        let seen = Journal<String>()
        let server = ScriptedServer { peer in
            try peer.upgrade()
            if end == .messages { try peer.sendFrame(0x88, [0x0F, 0xA1]) }
            do {
                let frame = try peer.readFrame()
                seen.note("\(frame.first) \(frame.payload.prefix(2))")
                if end != .messages { try peer.sendFrame(0x88, frame.payload) }
            } catch {
                seen.note("nothing")
            }
        }
        await server.run {
            for _ in 0..<20 {
                await #expect(processExitsWith: .success) { [port = server.port as Int, end] in
                    let group = try ClientGroup()
                    let socket = try await WebSocketClient.connect("ws://127.0.0.1:\(port)/", group: group)
                    switch end {
                    case .messages: do { for try await _ in socket.messages {} } catch {}
                    case .close: await socket.close(4_001)
                    case .group:
                        group.stop(4_001)
                        await group.ended()
                    }
                    _exit(0)
                }
            }
        }
        #expect(seen.entries == [String](repeating: "136 [15, 161]", count: 20))
    }
}
