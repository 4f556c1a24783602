import PubSub
import Synchronization
import Testing
import WebSocketProtocol

@testable import Ringcast

/// `TopicOrder.total` over real sockets.
@Suite struct TotalOrderTests {
    /// What the sockets of the test share: each is on the loop of its number, or four beyond.
    private final class Room: Sendable {
        let references = Mutex<[Int: WebSocketRef<Int>]>([:])

        /// Publishes what it is told, the third part of it through the reference of the next socket, and another third
        /// deflated for whoever takes that.
        func handlers(publishToSelf: Bool, _ compression: PerMessageDeflate) -> WebSocketHandlers<Int> {
            WebSocketHandlers(
                options: .init(
                    idleTimeout: .zero, publishToSelf: publishToSelf, perMessageDeflate: compression),
                open: { ws in
                    ws.subscribe(to: "room")
                    let reference = ws.reference
                    self.references.withLock { $0[ws.data] = reference }
                },
                message: { ws, message in
                    let words = message.string.split(separator: " ")
                    let compress = words[0] == "deflate"
                    if words[0] == "by" {
                        let other = self.references.withLock { $0[(ws.data + 1) % 8] }
                        other?.publish("\((ws.data + 1) % 8) \(ws.data).\(words[1])", to: "room")
                    } else {
                        ws.publish("\(ws.data) \(words[1])", to: "room", compress: compress)
                    }
                })
        }
    }

    /// Eight clients of a server of four loops, every other one of which gets its own messages, and two threads.
    private struct Crowd {
        let server: Server
        let clients: [SocketClient]

        static let perThread = 300

        init(of server: Server, offers: [[String]] = [[]]) throws {
            self.server = server
            clients = try (0..<8).map { id in
                let client = try SocketClient(
                    port: server.port, path: "/?id=\(id)", fields: offers[id % offers.count])
                #expect(eventually { server.subscriberCount(of: "room") == id + 1 })
                return client
            }
        }

        static func serve(
            _ topics: [TopicRule], _ compression: PerMessageDeflate = false, body: @Sendable (Server) throws -> Void
        ) async throws {
            let room = Room()
            let kinds = [true, false].map { room.handlers(publishToSelf: $0, compression) }
            try await serving(
                {
                    $0.loops = .count(4)
                    $0.topics = topics
                },
                fetch: { request in
                    let id = Int(request.query("id") ?? "") ?? 0
                    return .upgrade(to: kinds[id % 2], with: id)
                },
                body: body)
        }

        /// Lets each client publish these numbers, in pieces, so that all loops are at it at the same time, and both
        /// threads theirs.
        /// - Returns: what each client got.
        func transcripts(publishing numbers: Range<Int>) throws -> [[String]] {
            let threads = (8..<10).map { id in
                let next = Mutex(0)
                return RepeatingThread { [server] in
                    let number = next.withLock { number in
                        number += 1
                        return number
                    }
                    guard number <= Self.perThread else { return }
                    server.publish("\(id) \(numbers.lowerBound + number)", to: "room", compress: number % 3 == 0)
                }
            }
            for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 50) {
                for client in clients {
                    let commands = (start..<min(start + 50, numbers.upperBound)).map {
                        "\(["by", "say", "deflate"][$0 % 3]) \($0)"
                    }
                    try client.connection.send(commands.flatMap { SocketClient.encode(.text, Array($0.utf8)) })
                }
            }
            let total = 8 * numbers.count + 2 * Self.perThread
            let transcripts = try clients.indices.map { id in
                try (0..<(id % 2 == 0 ? total : total - numbers.count)).map { _ in try clients[id].readText() }
            }
            threads.forEach { $0.stop() }
            return transcripts
        }

        /// Everything came to everybody, once.
        func expectEverything(in transcripts: [[String]]) {
            let all = Set(transcripts[0])
            #expect(all.count == transcripts[0].count, "a message came twice")
            for (id, transcript) in transcripts.enumerated() {
                let expected = id % 2 == 0 ? all : all.filter { !$0.hasPrefix("\(id) ") }
                #expect(Set(transcript) == expected && transcript.count == expected.count, "socket \(id)")
            }
        }

        /// And in one order.
        func expectOneOrder(of transcripts: [[String]]) {
            expectEverything(in: transcripts)
            let order = transcripts[0]
            for (id, transcript) in transcripts.enumerated() {
                let expected = id % 2 == 0 ? order : order.filter { !$0.hasPrefix("\(id) ") }
                #expect(transcript == expected, "socket \(id) has another order")
            }
        }
    }

    /// Publishers on every loop, some of which get their own messages, references, and threads of the program's own.
    @Test func `eight sockets on four loops get everything in one order`() async throws {
        try await Crowd.serve([.matching("roo*", order: .total)]) { server in
            let crowd = try Crowd(of: server)
            crowd.expectOneOrder(of: try crowd.transcripts(publishing: 0..<400))
        }
    }

    /// Plain clients, clients of several windows, and such with and without context, in one audience.
    @Test func `so do sockets with and without compression`() async throws {
        try await Crowd.serve([.matching("*", order: .total)], SocketClient.dedicated) { server in
            let crowd = try Crowd(
                of: server,
                offers: [
                    [], SocketClient.offer(""), SocketClient.offer("server_no_context_takeover"),
                    SocketClient.offer("server_max_window_bits=10"), [],
                ])
            #expect(crowd.clients.count { $0.compression != nil } == 5)
            crowd.expectOneOrder(of: try crowd.transcripts(publishing: 0..<200))
        }
    }

    @Test func `an order that is changed while messages are under way loses and doubles nothing, and then holds`()
        async throws
    {
        try await Crowd.serve([]) { server in
            let crowd = try Crowd(of: server)
            let changes = Mutex(0)
            let thread = RepeatingThread {
                let change = changes.withLock { change in
                    change += 1
                    return change
                }
                server.setOrder(change % 2 == 0 ? .perPublisher : .total, for: "room")
                pause(.microseconds(500))
            }
            crowd.expectEverything(in: try crowd.transcripts(publishing: 0..<300))
            thread.stop()
            server.setOrder(.total, for: "room")
            #expect(server.order(of: "room") == .total && changes.withLock { $0 } > 2)
            crowd.expectOneOrder(of: try crowd.transcripts(publishing: 1_000..<1_300))
        }
    }
}
