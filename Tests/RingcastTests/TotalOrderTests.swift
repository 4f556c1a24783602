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

        /// Publishes what it is told, the third part of it through the reference of the next socket.
        func handlers(publishToSelf: Bool) -> WebSocketHandlers<Int> {
            WebSocketHandlers(
                options: .init(idleTimeout: .zero, publishToSelf: publishToSelf),
                open: { ws in
                    ws.subscribe(to: "room")
                    let reference = ws.reference
                    self.references.withLock { $0[ws.data] = reference }
                },
                message: { ws, message in
                    let words = message.string.split(separator: " ")
                    if words[0] == "by" {
                        let other = self.references.withLock { $0[(ws.data + 1) % 8] }
                        other?.publish("\((ws.data + 1) % 8) \(ws.data).\(words[1])", to: "room")
                    } else {
                        ws.publish("\(ws.data) \(words[1])", to: "room")
                    }
                })
        }
    }

    private static let perSocket = 400
    private static let perThread = 300

    /// Publishers on every loop, some of which get their own messages, references, and threads of the program's own.
    @Test func `eight sockets on four loops get everything in one order`() async throws {
        let room = Room()
        let kinds = [room.handlers(publishToSelf: true), room.handlers(publishToSelf: false)]
        try await serving(
            {
                $0.loops = .count(4)
                $0.topics = [.matching("roo*", order: .total)]
            },
            fetch: { request in
                let id = Int(request.query("id") ?? "") ?? 0
                return .upgrade(to: kinds[id % 2], with: id)
            }
        ) { server in
            let transcripts = try Self.transcripts(of: server)
            // Of the loops' sockets every other one gets its own messages.
            let order = transcripts[0]
            #expect(order.count == 8 * Self.perSocket + 2 * Self.perThread)
            #expect(Set(order).count == order.count, "a message came twice")
            for (id, transcript) in transcripts.enumerated() {
                let expected = id % 2 == 0 ? order : order.filter { !$0.hasPrefix("\(id) ") }
                #expect(transcript == expected, "socket \(id) has another order")
            }
        }
    }

    /// Lets eight clients and two threads publish at once, and returns what each client got.
    private static func transcripts(of server: Server) throws -> [[String]] {
        let clients = try (0..<8).map { id in
            let client = try SocketClient(port: server.port, path: "/?id=\(id)")
            #expect(eventually { server.subscriberCount(of: "room") == id + 1 })
            return client
        }
        let threads = (8..<10).map { id in
            let next = Mutex(0)
            return RepeatingThread {
                let number = next.withLock { number in
                    number += 1
                    return number
                }
                if number <= perThread { server.publish("\(id) \(number)", to: "room") }
            }
        }
        // In pieces, so that all loops are at it at the same time.
        for start in stride(from: 0, to: perSocket, by: 50) {
            for client in clients {
                let commands = (start..<start + 50).map { "\($0 % 3 == 0 ? "by" : "say") \($0)" }
                try client.connection.send(commands.flatMap { SocketClient.encode(.text, Array($0.utf8)) })
            }
        }
        let total = 8 * perSocket + 2 * perThread
        let transcripts = try clients.indices.map { id in
            try (0..<(id % 2 == 0 ? total : total - perSocket)).map { _ in try clients[id].readText() }
        }
        threads.forEach { $0.stop() }
        return transcripts
    }
}
