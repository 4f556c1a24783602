import Ringcast
import Testing

/// A server whose busy loops wait for more.
@Suite struct CoalescingTests {
    @Test func `it is off unless it is asked for`() {
        #expect(ServerConfiguration().coalescing == .off)
    }

    @Test func `everything is answered, in order, while a loop is busy`() async throws {
        let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })
        try await serving(
            echo,
            {
                $0.loops = .count(1)
                $0.coalescing = .adaptive(maxDelay: .milliseconds(2))
            }
        ) { server in
            let clients = try (0..<32).map { _ in try SocketClient(port: server.port) }
            for round in 0..<300 {
                for client in clients { try client.send("round \(round)") }
                for client in clients { #expect(try client.readText() == "round \(round)") }
            }
        }
    }
}
