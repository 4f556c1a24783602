import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// What a publish says is what becomes of its message, at the time of the call.
@Suite(.endingAll) struct PublishResultTests {
    let journal = Journal<SendResult>()

    /// Sockets that do what they are told: "join TOPIC", "leave TOPIC", "close", "terminate", "owe", and
    /// "go TOPIC COUNT SIZE", which publishes and notes the results.
    private func serve(loops: Int = 1, limit: Int = 64 << 10) -> SimulatedServer {
        let journal = journal
        let options = WebSocketOptions(backpressureLimit: limit, idleTimeout: .zero, writeStallTimeout: .zero)
        let handlers = WebSocketHandlers<Void>(
            options: options,
            message: { ws, message in
                let words = message.string.split(separator: " ")
                let topic = Topic(words.count > 1 ? String(words[1]) : "")
                switch words[0] {
                case "join": ws.subscribe(to: topic)
                case "leave": ws.unsubscribe(from: topic)
                case "close": ws.close()
                case "terminate": ws.terminate()
                case "owe": ws.send([UInt8](repeating: 0, count: 5_000))
                default:
                    let payload = [UInt8](repeating: 1, count: Int(words[3]) ?? 0)
                    for _ in 0..<(Int(words[2]) ?? 0) { journal.note(ws.publish(payload, to: topic)) }
                }
            })
        return SimulatedServer(handlers, loops: loops)
    }

    private func figures(_ server: SimulatedServer) -> LoopCounters { server.core.counters.last!.load() }

    private func count(_ isCounted: (SendResult) -> Bool) -> Int { journal.entries.count(where: isCounted) }

    /// Tells a publisher, and gives the last result.
    private func publish(_ text: String, _ publisher: SimulatedSocket) -> SendResult? {
        publisher.send(text)
        return journal.entries.last
    }

    @Test(arguments: [false, true])
    func `to a subscriber here that never reads, what was accepted is delivered, the rest dropped`(inOneTurn: Bool) {
        let server = serve()
        let (publisher, member) = (server.open(), server.open(window: 0))
        member.send("join t")
        if inOneTurn { publisher.send("go t 2000 8000") } else { for _ in 0..<2_000 { publisher.send("go t 1 8000") } }
        #expect(count { $0 != .dropped } == 9 && figures(server).deliveries == 9)
        #expect(count { $0 == .dropped } == 1_991 && figures(server).dropsAtLimit == 1_991)
        if !inOneTurn { #expect(count { $0 == .backpressure } == 8, "the first found it up to date") }
        member.peer.makeRoom(100_000)
        server.rest()
        #expect(publish("go t 1 8000", publisher) == .sent(bytes: 8_000))
    }

    @Test func `to a subscriber elsewhere that never reads, the next turn says so, until it has read`() {
        let server = serve(loops: 2)
        let (publisher, member) = (server.open(), server.open(on: 1, window: 0))
        member.send("join t")
        publisher.send("go t 1 8000")
        #expect(journal.entries == [.sent(bytes: 8_000)], "this loop cannot know better")
        for _ in 1..<2_000 { publisher.send("go t 1 8000") }
        #expect(count { $0 == .backpressure } == 1_999)
        #expect(figures(server).deliveries == 9 && figures(server).dropsAtLimit == 1_991)
        member.peer.makeRoom(100_000)
        server.rest()
        #expect(publish("go t 1 8000", publisher) == .sent(bytes: 8_000))
    }

    @Test(arguments: ["drain", "leave t", "close", "terminate", "reset"], [0, 1])
    func `who was behind is forgotten with its backlog, its subscription, or its end`(how: String, loop: Int) {
        let server = serve(loops: 2)
        let (publisher, reader, slow) = (server.open(), server.open(), server.open(on: loop, window: 1_000))
        for member in [reader, slow] { member.send("join t") }
        for _ in 0..<3 { publisher.send("go t 1 900") }
        #expect(journal.entries == [.sent(bytes: 900), .sent(bytes: 900), .backpressure])
        switch how {
        case "drain": slow.peer.makeRoom(100_000)
        case "reset": slow.peer.reset()
        default: slow.send(how)
        }
        server.rest()
        #expect(publish("go t 1 900", publisher) == .sent(bytes: 900))
        #expect(reader.count(.binary) == 4)
    }

    @Test(arguments: [0, 1])
    func `where only closing sockets or the publisher itself subscribe, it is dropped`(loop: Int) {
        let server = serve(loops: 2)
        let (publisher, member) = (server.open(), server.open(on: loop))
        publisher.send("join t")
        #expect(publish("go t 1 5", publisher) == .dropped)
        member.send("join t")
        #expect(publish("go t 1 5", publisher) == .sent(bytes: 5))
        member.send("close")
        #expect(publish("go t 1 5", publisher) == .dropped)
        #expect(server.core.registry.find("t")?.subscriberCount == 1)
    }

    @Test func `a topic joined by who is behind counts it, and a publisher does not count itself`() {
        let server = serve()
        let (publisher, reader, slow) = (server.open(window: 1_000), server.open(), server.open(window: 1_000))
        for socket in [publisher, slow] { socket.send("owe") }
        for socket in [publisher, reader] { socket.send("join t") }
        #expect(publish("go t 1 5", publisher) == .sent(bytes: 5))
        slow.send("join t")
        #expect(publish("go t 1 5", publisher) == .backpressure)
        slow.send("leave t")
        #expect(publish("go t 1 5", publisher) == .sent(bytes: 5))
        #expect(reader.count(.binary) == 3)
    }

    @Test func `subscribers of a client's group are behind only when they are`() async throws {
        let journal = journal
        let server = WebSocketHandlers<Void>(open: { $0.send("hello") }, message: { ws, _ in ws.send("again") })
        try await serving(server) { server in
            let group = try ClientGroup(
                configuration: .init(stop: StopTiming(window: .zero, deadline: .milliseconds(200))))
            let opened = Journal<Int>()
            let handlers = WebSocketHandlers<Int>(
                open: { ws in
                    ws.subscribe(to: "t")
                    opened.note(ws.data)
                },
                message: { ws, message in
                    guard ws.data == 1 else { return }
                    journal.note(ws.publish("x", to: "t"))
                    if message.string == "hello" { ws.send("more") }
                })
            for number in 0..<2 {
                group.connect(try ClientRequest(port: server.port), handlers: handlers, with: number)
                _ = opened.wait(for: number + 1)
            }
            #expect(journal.wait(for: 2) == [.sent(bytes: 1), .sent(bytes: 1)])
            group.stop()
            group.wait()
        }
    }
}
