import ReactorTesting
import Testing

@testable import Ringcast

/// What a report of a drop leads to is bounded, on however many loops.
@Suite(.endingAll) struct DropReportTests {
    /// A socket on each of two loops that is full, and does `act` when something for it is dropped.
    private func reports(
        _ act: @escaping @Sendable (borrowing WebSocket<Void>, [WebSocketRef<Void>]) -> Void
    ) -> (count: () -> Int, drops: () -> UInt64, turn: () -> Void) {
        let (journal, members) = (Journal<Int>(), Journal<WebSocketRef<Void>>())
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 1, idleTimeout: .zero, writeStallTimeout: .zero),
            open: { ws in members.note(ws.reference) },
            message: { ws, message in
                if message.string == "join" {
                    ws.send("fills the queue")
                    ws.subscribe(to: "t")
                } else {
                    ws.publish("something", to: "t")
                }
            },
            dropped: { ws, _ in
                journal.note(0)
                act(ws, members.entries)
            })
        let server = SimulatedServer(handlers, loops: 2)
        for loop in 0..<2 { server.open(on: loop, window: 0).send("join") }
        server.open().send("go")
        return (
            { journal.entries.count }, { server.core.counters.reduce(0) { $0 + $1.load().dropsAtLimit } },
            { for _ in 0..<50 { server.rest() } }
        )
    }

    @Test func `a handler that answers drops by publishing does not feed on other loops' drops`() {
        let (count, drops, turn) = reports { ws, _ in ws.publish("answer", to: "t") }
        turn()
        #expect(count() == 2, "one for each socket that missed the message")
        #expect(drops() == 4, "and the two answers, which the other socket missed")
    }

    @Test func `nor does one that answers them by sending, or publishing, through references`() {
        let (sent, sendDrops, turnSends) = reports { _, members in for member in members { member.send("answer") } }
        turnSends()
        #expect(sent() == 2 && sendDrops() >= 4)
        let (published, _, turnPublishes) = reports { _, members in
            for member in members { member.publish("answer", to: "t") }
        }
        turnPublishes()
        #expect(published() == 2)
    }

    /// The second message is on its way to the subscribers when the first one's drop is reported.
    @Test(arguments: [TopicOrder.perPublisher, .total])
    func `a drop is reported though the next message waits while the one before it is`(order: TopicOrder) {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 1, idleTimeout: .zero, writeStallTimeout: .zero),
            message: { ws, message in
                if message.string == "join" {
                    ws.send("fills the queue")
                    for topic in ["a", "b", "c"] { ws.subscribe(to: topic) }
                } else {
                    for topic in ["a", "b", "c"] { ws.publish("of \(topic)", to: topic) }
                }
            },
            dropped: { _, message in journal.note(message.string) })
        let server = SimulatedServer(handlers) { $0.topics = [.matching("*", order: order)] }
        server.open(window: 0).send("join")
        server.open().send("go")
        #expect(journal.entries == ["of a", "of b", "of c"])
    }

    /// A handler on the publisher's loop answers what was dropped there; a subscriber on another loop hears both.
    @Test(arguments: [SlowConsumerPolicy.dropNewest, .dropOldest, .latest], [TopicOrder.perPublisher, .total])
    func `an answer to a drop comes behind the message that was dropped, on other loops too`(
        policy: SlowConsumerPolicy, order: TopicOrder
    ) {
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 100, idleTimeout: .zero, writeStallTimeout: .zero),
            message: { ws, message in
                switch message.string {
                case "fill":
                    ws.send(String(repeating: "x", count: 200))
                    ws.subscribe(to: "t")
                case "join": ws.subscribe(to: "t")
                default: ws.publish(message, to: "t")
                }
            },
            dropped: { ws, message in ws.publish("answer to \(message.string)", to: "t") })
        let server = SimulatedServer(handlers, loops: 2) {
            $0.topics = [.matching("t", order: order, slowConsumerPolicy: policy)]
        }
        let observers = (0..<2).map { server.open(on: $0) }
        for observer in observers { observer.send("join") }
        for loop in 0..<2 {
            server.open(on: loop, window: 0).send("fill")
            server.open(on: loop).send("\(loop)")
            for observer in observers {
                let heard = observer.frames().map(\.text)
                #expect(heard.first == "\(loop)" && heard.contains("answer to \(loop)"), "\(heard)")
            }
        }
    }
}
