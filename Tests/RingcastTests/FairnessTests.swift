import Testing
import WebSocketProtocol

@testable import Ringcast

@Suite(.serialized) struct FairnessTests {
    @Test func `who publishes a flood of small messages goes on in the next turn`() async throws {
        let subscribers = 30
        let turns = Journal<UInt64>()
        let kind = WebSocketHandlers<Bool>(
            open: { ws in if ws.data { ws.subscribe(to: "crowd") } },
            message: { ws, message in
                turns.note(UInt64(ws.session.loop.eventLoop.statistics.turns.value))
                ws.publish(message, to: "crowd")
            })
        try await serving(
            { $0.loops = .count(1) },
            fetch: { request in .upgrade(to: kind, with: request.path == "/crowd") }
        ) { server in
            let crowd = try (0..<subscribers).map { _ in try SocketClient(port: server.port, path: "/crowd") }
            let publisher = try SocketClient(port: server.port)
            let messages = 1_500
            // In one piece, so that hundreds of them lie in one receive buffer.
            try publisher.connection.send((0..<messages).flatMap { _ in SocketClient.encode(.binary, [1]) })
            for _ in 0..<messages { #expect(try crowd[0].read().payload == [1]) }
            let most = Dictionary(grouping: turns.entries, by: \.self).values.map(\.count).max() ?? 0
            #expect(turns.entries.count == messages)
            #expect(most * subscribers < Int(Session.deliveriesPerTurn) + subscribers, "\(most) messages in one turn")
        }
    }
}
