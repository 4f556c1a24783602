import ReactorTesting
import Ringcast
import Testing

/// Streams of server-sent events over real sockets.
@Suite(.blocking) struct EventStreamSocketTests {
    private static let handlers = WebSocketHandlers<Void>(
        options: .init(publishToSelf: true), open: { ws in ws.subscribe(to: "news") },
        message: { ws, message in ws.publish(message, to: "news") })

    private static func fetch(_ request: borrowing Request) throws -> Reply {
        request.isWebSocketUpgrade ? .upgrade(to: handlers) : .events(of: "news")
    }

    private func reader(_ server: Server, receiveBuffer: Int32? = nil) throws -> TCPClient {
        let client = try TCPClient(port: server.port, receiveBuffer: receiveBuffer)
        try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        #expect(try client.readLine() == "HTTP/1.1 200 OK")
        while try client.readLine() != "" {}
        return client
    }

    @Test func `sockets and streams on two loops get the same messages in the same order`() async throws {
        try await serving({ $0.topics = [.matching("news", order: .total)] }, fetch: Self.fetch) { server in
            let readers = try (0..<4).map { _ in try reader(server) }
            let sockets = try (0..<4).map { _ in try SocketClient(port: server.port) }
            #expect(eventually { server.subscriberCount(of: "news") == 8 })
            for number in 0..<100 {
                try sockets[number % 4].send("socket \(number % 4) \(number)")
                server.publish("thread \(number)", to: "news")
            }
            var orders: [[String]] = []
            for socket in sockets { orders.append(try (0..<200).map { _ in try socket.read().text }) }
            for reader in readers {
                orders.append(
                    try (0..<200).map { _ in
                        let line = try reader.readLine()
                        #expect(try line.hasPrefix("data: ") && reader.readLine() == "")
                        return String(line.dropFirst(6))
                    })
            }
            #expect(orders.allSatisfy { $0 == orders[0] } && Set(orders[0]).count == 200)
        }
    }

    @Test func `a slow reader of large messages loses what is counted as dropped`() async throws {
        let payload = String(repeating: "x", count: 16 << 10)
        try await serving(
            {
                $0.loops = .count(1)
                $0.events.backpressureLimit = 1 << 20
            }, fetch: Self.fetch
        ) { server in
            let client = try reader(server, receiveBuffer: 4_096)
            for number in 0..<1_000 { server.publish("\(number) \(payload)", to: "news") }
            let sum = { server.statistics.reduce(ServerStatistics(), +) }
            #expect(eventually { sum().deliveries + SlowConsumerTests.drops(sum()) == 1_000 })
            #expect(sum().dropsAtLimit > 0)
            var count = 0
            for _ in 0..<sum().deliveries {
                let line = try client.readLine()
                #expect(try line.hasPrefix("data: ") && line.hasSuffix(payload) && client.readLine() == "")
                count += 1
            }
            server.publish("the end", to: "news")
            #expect(try client.readLine() == "data: the end")
            #expect(count + SlowConsumerTests.drops(sum()) == 1_000)
        }
    }

    @Test func `a client that leaves is a subscriber no more, and a stop ends the others`() async throws {
        try await serving(fetch: Self.fetch) { server in
            let (staying, leaving, cut) = (try reader(server), try reader(server), try reader(server))
            #expect(eventually { server.subscriberCount(of: "news") == 3 })
            leaving.shutDownWriting()
            cut.reset()
            #expect(eventually { server.subscriberCount(of: "news") == 1 })
            #expect(try leaving.isAtEnd())
            server.stop()
            #expect(try staying.isAtEnd() && !staying.wasReset)
        }
    }
}
