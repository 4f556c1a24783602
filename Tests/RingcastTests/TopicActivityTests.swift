import Reactor
import ReactorTesting
import Testing

@testable import Ringcast

/// The busiest and the slowest topics of a server.
@Suite(.endingAll) struct TopicActivityTests {
    private static let handlers = WebSocketHandlers<String>(
        options: .init(backpressureLimit: 4_096, publishToSelf: true),
        open: { ws in ws.subscribe(to: Topic(ws.data)) },
        message: { ws, message in ws.publish(message, to: Topic(ws.data)) })

    private func server(
        loops: Int = 2, _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) -> SimulatedServer {
        SimulatedServer(loops: loops, change) { request in
            .upgrade(to: Self.handlers, with: String(request.path.dropFirst()))
        }
    }

    @Test func `topics are listed by their deliveries on all loops, with who is subscribed`() {
        let server = server()
        let calm = server.open(on: 0, path: "/calm")
        let busy = (0..<6).map { server.open(on: $0 % 2, path: "/busy") }
        for _ in 0..<90 { busy[0].send("x") }
        for _ in 0..<9 { calm.send("x") }
        server.advance(.seconds(1))
        let topics = server.server.busiestTopics()
        #expect(topics.map(\.topic) == ["busy", "calm"] && topics.map(\.subscriberCount) == [6, 1])
        // A second old, of which a tenth has faded; as if it had gone on at that rate.
        #expect(abs(topics[0].deliveriesPerSecond - 54) < 1 && abs(topics[1].deliveriesPerSecond - 0.9) < 0.1)
        #expect(server.server.busiestTopics(1).map(\.topic) == ["busy"] && server.server.busiestTopics(-1).isEmpty)
        #expect(server.server.slowestTopics().isEmpty)
        server.advance(.seconds(200))
        #expect(server.server.busiestTopics().isEmpty)
    }

    @Test(arguments: [SlowConsumerPolicy.dropNewest, .dropOldest, .latest])
    func `a topic whose subscriber does not read is slow, whatever its policy`(_ policy: SlowConsumerPolicy) {
        let server = server { $0.slowConsumerPolicy = policy }
        let fine = server.open(on: 0, path: "/fine")
        _ = server.open(on: 1, path: "/slow", window: 100)
        let other = server.open(on: 0, path: "/slow")
        let text = String(repeating: "x", count: 1_000)
        for _ in 0..<20 {
            fine.send(text)
            other.send(text)
        }
        let topics = server.server.slowestTopics()
        #expect(topics.map(\.topic) == ["slow"])
        #expect(topics[0].dropsPerSecond > 0 && topics[0].behindPerSecond > 0, "\(topics)")
    }

    @Test func `what another loop's lane has no room for is the topic's drop`() {
        var room = MailboxRoom()
        (room.lane, room.overflow) = (2, 0)
        let server = SimulatedServer(loops: 2, room: room) { _ in .upgrade(to: Self.handlers, with: "full") }
        _ = server.open(on: 1)
        let publisher = server.open(on: 0)
        let frames = (0..<50).flatMap { _ in SocketClient.encode(.text, [1]) }
        publisher.peer.send(frames)
        server.rest()
        #expect(server.server.totals.dropsInLanes > 0)
        let topics = server.server.slowestTopics()
        #expect(topics.map(\.topic) == ["full"] && topics[0].dropsPerSecond > 0)
    }
}
