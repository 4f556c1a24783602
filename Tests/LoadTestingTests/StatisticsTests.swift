import Foundation
import Ringcast
import Testing

@testable import LoadTesting

/// What `/stats` answers, of a server that runs.
@Suite struct StatisticsTests {
    private static let handlers = WebSocketHandlers<Topic>(
        options: .init(publishToSelf: true), open: { $0.subscribe(to: $0.data) },
        message: { $0.publish($1, to: $0.data) })

    private func serving(_ topic: Topic, _ body: (Server) async throws -> Void) async throws {
        let configuration = ServerConfiguration(hostname: "127.0.0.1", port: 0, loops: .count(2), pinsThreads: false)
        let server = try Server(configuration: configuration) { _ in .upgrade(to: Self.handlers, with: topic) }
        let running = Task { try await server.run() }
        defer { server.stop() }
        try await body(server)
        server.stop()
        try await running.value
    }

    /// What a server says at `/stats` when somebody has published to a topic, and heard it.
    private func statistics(publishingTo topic: Topic, messages: Int = 40) async throws -> String {
        var json = ""
        try await serving(topic) { server in
            var request = try ClientRequest("ws://127.0.0.1:\(server.port)/")
            // Hundreds of tests may run at a time, and the server's own task has to get its turn.
            request.handshakeTimeout = .seconds(60)
            let client = try await WebSocketClient.connect(request)
            for _ in 0..<messages { try await client.send("hello") }
            var count = 0
            for try await _ in client.messages {
                count += 1
                if count == messages { break }
            }
            json = try JSON.text(StatisticsReport(of: server))
            await client.close()
        }
        return json
    }

    @Test func `figures come in all and by loop, and topics with what they have to do`() async throws {
        let json = try await statistics(publishingTo: "news")
        let fields = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect((fields["sockets"] as? [String: Any])?["per_loop"] is [Int])
        let topics = try #require(TopicReport(statistics: json))
        #expect(topics.busiest.map(\.name) == ["news"] && topics.slowest.isEmpty)
        #expect(topics.busiest[0].deliveriesPerSecond > 0 && topics.busiest[0].subscribers == 1)
    }

    @Test func `a topic's name is escaped, whole where it is short, and cut where it is long`() async throws {
        let name = "a\"\\\u{1B}[2J\u{7F}\u{9B}1m\u{202E}\u{2028}\u{E0001}é界"
        let json = try await statistics(publishingTo: .init(name))
        #expect(json.contains(#"a\"\\\u001b[2J\u007f\u009b1m\u202e\u2028\udb40\udc01é界""#), "\(json)")
        #expect(TopicReport(statistics: json)?.busiest.map(\.name) == [name])
        let long = try await statistics(publishingTo: .init(String(repeating: "界", count: 300)))
        #expect(TopicReport(statistics: long)?.busiest.map(\.name) == [String(repeating: "界", count: 42) + "…"])
    }
}
