import PubSub
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// `TopicOrder.total` over simulated loops, which take their turns as the test says.
@Suite(.endingAll) struct TotalOrderLoopTests {
    /// Sockets that publish to the topic before the first colon what comes behind it.
    static func relay(publishToSelf: Bool = true, _ subscriptions: [Topic] = ["t"]) -> WebSocketHandlers<Void> {
        WebSocketHandlers(
            options: .init(idleTimeout: .zero, publishToSelf: publishToSelf),
            open: { ws in for topic in subscriptions { ws.subscribe(to: topic) } },
            message: { ws, message in
                let words = message.string.split(separator: ":", maxSplits: 1)
                ws.publish(String(words[1]), to: Topic(String(words[0])))
            })
    }

    /// A topic whose home is this loop.
    static func topic(at home: Int, of loopCount: Int) -> String {
        (0...).lazy.map { "t\($0)" }.first { Topic($0).home(among: loopCount) == home }!
    }

    private static func publish(_ text: String, by socket: SimulatedSocket) {
        socket.peer.send(SocketClient.encode(.text, Array(text.utf8)))
    }

    /// Both publish before either hears of the other.
    @Test(arguments: [TopicOrder.perPublisher, .total])
    func `publishers on two loops are heard in one order, if it is asked for`(order: TopicOrder) {
        let server = SimulatedServer(Self.relay(), loops: 2) { $0.topics = [.matching("*", order: order)] }
        let sockets = (0..<2).map { server.open(on: $0) }
        for (loop, socket) in sockets.enumerated() { Self.publish("t:\(loop)", by: socket) }
        for loop in server.loops { loop.turn(2) }
        server.rest()
        let transcripts = sockets.map { $0.frames().map(\.text) }
        #expect(transcripts.allSatisfy { $0.count == 2 })
        #expect((transcripts[0] == transcripts[1]) == (order == .total), "\(transcripts)")
    }

    @Test func `a message is encoded once, by its publisher`() {
        let topic = Self.topic(at: 1, of: 3)
        let server = SimulatedServer(Self.relay([Topic(topic)]), loops: 3) {
            $0.topics = [.matching("*", order: .total)]
        }
        let sockets = (0..<6).map { server.open(on: $0 % 3) }
        for (number, socket) in sockets.enumerated() { Self.publish("\(topic):\(number)", by: socket) }
        server.rest()
        let texts = sockets.map { $0.frames().map(\.text) }
        #expect(texts.allSatisfy { $0 == texts[0] } && Set(texts[0]) == Set((0..<6).map(String.init)))
        #expect(server.core.counters.map { Int($0.load().framesEncoded) } == [2, 2, 2])
    }

    /// Canonically equivalent spellings are one topic, with other bytes, and so with homes of their own.
    @Test func `a message is numbered by another home if its topic has come again in another spelling meanwhile`() {
        let number = (0...).first {
            Topic("\u{E9}\($0)").home(among: 3) == 1 && Topic("e\u{301}\($0)").home(among: 3) == 2
        }!
        let (old, new) = ("\u{E9}\(number)", "e\u{301}\(number)")
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .zero),
            message: { ws, message in
                ws.unsubscribe(from: Topic(old))
                // More idle topics than a loop remembers: the old spelling is forgotten.
                for number in 0..<600 {
                    ws.subscribe(to: Topic("idle \(number)"))
                    ws.unsubscribe(from: Topic("idle \(number)"))
                }
                ws.subscribe(to: Topic(message.string))
            })
        let server = SimulatedServer(handlers, loops: 3) { $0.topics = [.matching("*", order: .total)] }
        let member = server.open(on: 0)
        member.send(old)
        #expect(server.core.registry.find(Topic(old))?.home == 1)
        #expect(server.server.publish("before", to: Topic(old)) == .sent(bytes: 6))
        member.peer.send(SocketClient.encode(.text, Array(new.utf8)))
        server.loops[0].turn(3)
        #expect(server.core.registry.find(Topic(old))?.home == 2)
        server.rest()
        server.server.publish("after", to: Topic(old))
        server.rest()
        #expect(member.frames().map(\.text) == ["before", "after"])
    }

    @Test func `who is excluded gets everything else in order, and no reader of its slot is taken for it`() {
        let topic = Self.topic(at: 0, of: 2)
        let server = SimulatedServer(Self.relay(publishToSelf: false, [Topic(topic)]), loops: 2) {
            $0.topics = [.matching("*", order: .total)]
        }
        let (home, away) = (server.open(on: 0), server.open(on: 1))
        Self.publish("\(topic):away", by: away)
        Self.publish("\(topic):home", by: home)
        server.rest()
        #expect(home.frames().map(\.text) == ["away"])
        #expect(away.frames().map(\.text) == ["home"])
        // It leaves while its message is away, and another takes its slot.
        let observer = server.open(on: 0)
        Self.publish("\(topic):last words", by: away)
        server.loops[1].turn(2)
        away.peer.reset()
        server.loops[1].turn(4)
        let heir = server.loops[1].connect()
        heir.send(Array(SocketClient.request().utf8))
        server.loops[1].turn(6)
        let socket = SimulatedSocket(heir, of: server)
        socket.skipHandshake()
        server.rest()
        #expect(observer.frames().map(\.text) == ["last words"])
        #expect(socket.frames().map(\.text) == ["last words"], "it is not the one that said it")
    }

    /// The results that `publish` gives where the home loop is another one.
    @Test func `a publish says what is known where it is made`() {
        let topic = Topic(Self.topic(at: 0, of: 2))
        let results = Journal<SendResult>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .zero),
            message: { ws, message in
                switch message.string {
                case "join": ws.subscribe(to: topic)
                case "publish": results.note(ws.publish("12345", to: topic))
                default:
                    let flood = [UInt8](repeating: 0, count: 100_000)
                    for _ in 0..<1_000 {
                        let result = ws.publish(flood, to: topic)
                        if results.entries.last != result { results.note(result) }
                    }
                }
            })
        let server = SimulatedServer(handlers, loops: 2) { $0.topics = [.matching("*", order: .total)] }
        let (publisher, other) = (server.open(on: 1), server.open(on: 0))
        publisher.send("publish")
        publisher.send("join")
        publisher.send("publish")
        other.send("join")
        publisher.send("publish")
        #expect(results.entries == [.dropped, .dropped, .sent(bytes: 5)], "nobody, only itself, somebody")
        // More than a lane that nobody empties may hold.
        Self.publish("flood", by: publisher)
        server.loops[1].turn(2)
        #expect(results.entries.dropFirst(3) == [.sent(bytes: 100_000), .backpressure, .dropped])
        #expect(server.core.counters[1].load().dropsInLanes > 0)
    }

    @Test(arguments: 0..<2)
    func `the retained message is the last in the order, and comes once`(home: Int) {
        let topic = Self.topic(at: home, of: 2)
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .zero, publishToSelf: true),
            message: { ws, message in
                if message.string == "join" {
                    ws.subscribe(to: Topic(topic))
                } else {
                    ws.publish(message, to: Topic(topic), retain: true)
                }
            })
        let server = SimulatedServer(handlers, loops: 2) { $0.topics = [.matching("*", order: .total)] }
        let sockets = (0..<4).map { server.open(on: $0 % 2) }
        sockets[0].send("join")
        for (number, socket) in sockets.prefix(2).enumerated() { Self.publish("\(number)", by: socket) }
        // The newcomers join while the messages are on their way.
        for (number, loop) in server.loops.enumerated() {
            loop.turn(2)
            Self.publish("join", by: sockets[2 + number])
            loop.turn(2)
        }
        server.rest()
        let order = sockets[0].frames().map(\.text)
        #expect(order.count == 2)
        for socket in sockets[2...] {
            let heard = socket.frames().map(\.text)
            #expect(!heard.isEmpty && heard == order.suffix(heard.count), "\(heard) of \(order)")
        }
        let late = server.open(on: 0)
        late.send("join")
        #expect(late.frames().map(\.text) == order.suffix(1))
    }
}
