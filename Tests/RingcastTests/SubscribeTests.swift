import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// What subscribing and publishing answer, on one simulated loop.
@Suite(.endingAll) struct SubscribeTests {
    @Test func `a socket has so many topics, and room for another when it leaves one`() {
        let journal = Journal<Bool>()
        let handlers = WebSocketHandlers<Void>(message: { ws, message in
            let topic = Topic(String(message.string.dropFirst()))
            journal.note(message.string.first == "+" ? ws.subscribe(to: topic) : ws.unsubscribe(from: topic))
            #expect(ws.subscriptions.count <= 2)
        })
        let server = SimulatedServer(handlers) { $0.limits.topicsPerSocket = 2 }
        let (socket, other) = (server.open(), server.open())
        for text in ["+a", "+b", "+c", "+a", "-a", "+c", "+a"] { socket.send(text) }
        #expect(journal.entries == [true, true, false, false, true, true, false])
        other.send("+a")
        #expect(journal.entries.last == true, "it is each socket's own bound")
    }

    @Test func `who is closing or closed subscribes to nothing, and keeps its topics until its handler returns`() {
        let journal = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in
                ws.close()
                journal.note("closing: \(ws.subscribe(to: "u"))")
            },
            close: { ws, _, _ in
                journal.note("closed: \(ws.subscribe(to: "u")) \(ws.subscriptions) \(ws.publish("x", to: "t"))")
            })
        let server = SimulatedServer(handlers)
        let (socket, other) = (server.open(), server.open())
        socket.send("go")
        socket.send(.close, [3, 232])
        #expect(journal.entries == ["closing: false", "closed: false [t] sent(bytes: 1)"])
        #expect(other.frames().map(\.text) == ["x"])
        #expect(server.core.registry.find("t")?.subscriberCount == 1)
    }

    @Test func `a publish hears of subscribers that are behind, and no more once they are not`() {
        let journal = Journal<SendResult>()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "t") },
            message: { ws, _ in journal.note(ws.publish([UInt8](repeating: 1, count: 900), to: "t")) })
        let server = SimulatedServer(handlers)
        let (publisher, slow) = (server.open(), server.open(window: 1_000))
        for _ in 0..<4 { publisher.send("go") }
        // The second one does not fit.
        #expect(journal.entries == [.sent(bytes: 900), .sent(bytes: 900), .backpressure, .backpressure])
        slow.peer.makeRoom(1_000_000)
        server.rest()
        for _ in 0..<2 { publisher.send("go") }
        #expect(journal.entries.suffix(2) == [.sent(bytes: 900), .sent(bytes: 900)])
        #expect(slow.count(.binary) == 6)
    }
}
