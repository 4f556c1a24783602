import HTTPTypes
import ReactorTesting
import Testing

@testable import Ringcast

/// Streams of server-sent events over simulated connections.
@Suite(.endingAll) struct EventStreamTests {
    private static let request = "GET /news HTTP/1.1\r\nHost: t\r\n\r\n"

    private func server(
        loops: Int = 1, _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) -> SimulatedServer {
        let handlers = WebSocketHandlers<Void>(open: { ws in ws.subscribe(to: "news") })
        return SimulatedServer(
            loops: loops, change,
            fetch: { $0.isWebSocketUpgrade ? .upgrade(to: handlers) : .events(of: "news") })
    }

    /// The client of a stream, which has read its head.
    private final class Reader {
        let peer: SimulatedPeer
        let head: String
        private var parser = EventStreamParser()

        init(_ server: SimulatedServer, on loop: Int = 0, window: Int = .max, _ request: String = request) throws {
            peer = server.connect(on: loop)
            peer.send(Array(request.utf8))
            server.rest()
            let answer = String(decoding: peer.takeReceivedBytes(), as: UTF8.self)
            let end = try #require(answer.firstRange(of: "\r\n\r\n")?.upperBound)
            head = String(answer[..<end])
            parser.read(answer[end...].utf8)
            peer.window = window
        }

        var events: [EventStreamParser.Event] {
            parser.read(peer.takeReceivedBytes())
            return parser.events
        }

        var texts: [String] { events.map(\.data) }

        var commentCount: Int {
            _ = events
            return parser.commentCount
        }
    }

    private func counters(of server: SimulatedServer, on loop: Int = 0) -> LoopCounters {
        server.core.counters[loop].load()
    }

    @Test(arguments: ["1.1", "1.0"])
    func `a stream has the topic's messages, until the connection ends`(_ version: String) throws {
        let server = server()
        let reader = try Reader(server, Self.request.replacing("1.1", with: version))
        #expect(reader.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        for line in ["Content-Type: text/event-stream", "Cache-Control: no-store", "X-Accel-Buffering: no"] {
            #expect(reader.head.contains("\r\n\(line)\r\n"))
        }
        #expect(reader.head.contains("\r\nConnection: close\r\n"))
        #expect(!reader.head.contains("Transfer-Encoding") && !reader.head.contains("Content-Length"))
        #expect(server.server.subscriberCount(of: "news") == 1)
        server.server.publish("one\r\nline\nor two", to: "news")
        server.server.publish([1, 2, 3], to: "news")
        server.server.publish("elsewhere", to: "other")
        server.rest()
        #expect(reader.events == [.init(data: "one\nline\nor two"), .init(type: "binary", data: "AQID")])
        #expect(counters(of: server).deliveries == 2)
    }

    @Test func `it is no socket and no request that waits, and is counted`() throws {
        let server = server()
        let socket = server.open()
        let readers = try (0..<3).map { _ in try Reader(server) }
        #expect(server.server.pendingWebSockets == 1 && server.server.pendingRequests == 0)
        #expect(counters(of: server).eventStreams == 3)
        #expect(server.server.subscriberCount(of: "news") == 4)
        #expect(server.core.counters[0].events.responses[.successful] == 3)
        readers[0].peer.end()
        readers[1].peer.reset()
        server.rest()
        server.server.publish("x", to: "news")
        server.rest()
        #expect(counters(of: server).eventStreams == 1 && server.server.pendingWebSockets == 1)
        #expect(server.server.subscriberCount(of: "news") == 2)
        #expect(readers[2].texts == ["x"] && socket.frames().map(\.text) == ["x"])
        #expect(
            server.core.counters[0].events.closesReceived[.c1006] == 0, "a stream has no Close that could be missing")
        #expect(server.simulation.loop.connectionCount == 2)
    }

    @Test func `what is retained comes first, and what its client says is not read`() throws {
        let server = server()
        server.server.publish("before", to: "news", retain: true)
        server.rest()
        let reader = try Reader(server, Self.request + Self.request)
        #expect(reader.texts == ["before"])
        reader.peer.send(Array(String(repeating: Self.request, count: 10_000).utf8))
        server.rest()
        server.server.publish("after", to: "news")
        server.rest()
        #expect(reader.texts == ["before", "after"] && reader.peer.unreadByteCount == 0)
    }

    @Test func `HEAD gets the head, and the headers given take the place of the stream's`() throws {
        let server = SimulatedServer(fetch: { _ in
            .events(of: "news", headers: [.cacheControl: "no-cache"]).setting(.accessControlAllowOrigin, to: "*")
        })
        let reader = try Reader(server, Self.request.replacing("GET", with: "HEAD"))
        #expect(reader.head.contains("\r\nCache-Control: no-cache\r\n") && !reader.head.contains("no-store"))
        #expect(reader.head.contains("\r\nAccess-Control-Allow-Origin: *\r\n"))
        #expect(server.server.subscriberCount(of: "news") == 0 && !reader.peer.hasSeenEnd)
    }

    @Test func `a topic that cannot be is a 500; a deferred reply may give a stream`() throws {
        let log = LogRecorder()
        let server = SimulatedServer({ $0.logger = log.logger() }) { request in
            let topic = Topic(request.query("topic") ?? "")
            return .deferred { .events(of: topic) }
        }
        let refused = try Reader(server)
        #expect(refused.head.hasPrefix("HTTP/1.1 500 "))
        #expect(log.lines == ["error: a response cannot be sent: a topic of events is empty or too long"])
        let reader = try Reader(server, Self.request.replacing("/news", with: "/?topic=news"))
        server.server.publish("x", to: "news")
        server.rest()
        #expect(reader.texts == ["x"])
    }

    @Test func `a comment keeps a quiet stream alive, and a client that takes none of it is cut`() throws {
        let server = server { $0.events.commentInterval = .seconds(20) }
        let reader = try Reader(server)
        server.advance(.seconds(205))
        #expect(reader.commentCount == 10 && reader.texts == [])
        // Gone without a word: its kernel takes nothing any more.
        reader.peer.untakenByteCount = 3
        server.advance(.seconds(60))
        #expect(!reader.peer.isClosed && reader.commentCount == 10)
        server.advance(.seconds(45))
        #expect(reader.peer.isClosed && server.server.subscriberCount(of: "news") == 0)
    }

    @Test func `a stream without comments has no deadline`() throws {
        let server = server { $0.events.commentInterval = .zero }
        let reader = try Reader(server)
        server.advance(.seconds(3_600))
        #expect(reader.commentCount == 0 && !reader.peer.hasSeenEnd)
    }

    @Test func `a server that stops ends its streams over the window, as its sockets`() throws {
        let server = server()
        let readers = try (0..<10).map { _ in try Reader(server) }
        server.server.publish("last", to: "news")
        server.stop(within: .seconds(10), deadline: .seconds(5))
        server.advance(.seconds(5))
        let ended = readers.count { $0.peer.hasSeenEnd }
        #expect((4...7).contains(ended))
        server.advance(.seconds(6))
        for reader in readers {
            #expect(reader.peer.hasSeenEnd && !reader.peer.hasSeenReset && reader.texts == ["last"])
            reader.peer.end()
        }
        server.rest()
        #expect(server.simulation.loop.hasEnded)
    }

    static let policies: [SlowConsumerPolicy] = [.dropNewest, .dropOldest, .latest, .close(.tryAgainLater)]

    @Test(arguments: policies, [1, 2])
    func `a slow reader's messages are delivered or dropped by the policy`(
        _ policy: SlowConsumerPolicy, _ loops: Int
    ) throws {
        let server = server(loops: loops) {
            $0.slowConsumerPolicy = policy
            $0.events.backpressureLimit = 10_000
        }
        let fast = try Reader(server, on: 0)
        let slow = try Reader(server, on: loops - 1, window: 500)
        let socket = server.open(on: 0)
        for number in 0..<100 {
            server.server.publish("\(number) " + String(repeating: "x", count: 500), to: "news")
            server.rest()
        }
        slow.peer.window = .max
        server.rest()
        #expect(fast.texts.count == 100 && socket.frames().count == 100)
        let numbers = slow.texts.map { Int($0.prefix { $0 != " " })! }
        #expect(numbers == numbers.sorted() && !numbers.isEmpty && numbers.count < 100)
        let sums = (0..<loops).map { counters(of: server, on: $0) }
        let deliveries = sums.reduce(0) { $0 + $1.deliveries }
        let drops = sums.reduce(0) { $0 + $1.dropsAtLimit + $1.dropsEvicted + $1.dropsSuperseded }
        #expect(deliveries == UInt64(200 + numbers.count))
        switch policy {
        case .close:
            #expect(slow.peer.hasSeenEnd && drops == 1)
            #expect(server.server.subscriberCount(of: "news") == 2)
        case .dropNewest: #expect(numbers.first == 0 && numbers.last! < 99 && deliveries + drops == 300)
        case .dropOldest, .latest: #expect(numbers.last == 99 && deliveries + drops == 300)
        }
    }

    @Test func `streams and sockets that agreed on compression share a topic`() throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(perMessageDeflate: true), open: { ws in ws.subscribe(to: "news") })
        let server = SimulatedServer(fetch: { $0.isWebSocketUpgrade ? .upgrade(to: handlers) : .events(of: "news") })
        let reader = try Reader(server)
        let peer = server.connect()
        peer.send(
            Array(
                SocketClient.request().replacing(
                    "Host:", with: "Sec-WebSocket-Extensions: permessage-deflate\r\nHost:"
                ).utf8))
        server.rest()
        let text = String(repeating: "much the same ", count: 500)
        _ = peer.takeReceivedBytes()
        server.server.publish(text, to: "news")
        server.rest()
        #expect(reader.texts == [text])
        #expect(peer.receivedBytes.first == 0xC1 && peer.receivedBytes.count < 500)
    }

    @Test func `a server that stops gives no stream to a request that was waiting`() throws {
        let gate = StreamingUpload.Gate(isOpen: false)
        let server = SimulatedServer(fetch: { _ in
            .deferred {
                await gate.pass()
                return .events(of: "news")
            }
        })
        let peer = server.connect()
        peer.send(Array(Self.request.utf8))
        server.rest()
        server.stop(within: .seconds(10), deadline: .seconds(5))
        #expect(peer.receivedBytes.isEmpty)
        gate.open()
        server.rest()
        let answer = SimulatedAnswer(String(decoding: peer.takeReceivedBytes(), as: UTF8.self))
        #expect(answer.status == 503 && answer["Connection"] == "close")
        #expect(server.server.subscriberCount(of: "news") == 0 && peer.hasSeenEnd)
        peer.end()
        server.rest()
        #expect(server.simulation.loop.hasEnded)
    }

    @Test func `a stream in the middle of a body throws the rest of that away, and ends its reader`() throws {
        let endings = Journal<String>()
        var routes = Routes()
        routes.post("/news", options: RouteOptions(streamsBody: true)) { request in
            let body = request.body(streaming: 100)
            return .deferred {
                var pieces = body.makeAsyncIterator()
                _ = try await pieces.next()
                Task {
                    do throws(RequestBodyError) { for try await _ in body {} } catch { endings.note("\(error.code)") }
                }
                return .events(of: "news")
            }
        }
        let server = try SimulatedServer(routes) { $0.limits.bodyBytes = 1 << 30 }
        let head = "POST /news HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n"
        // More than the reader's window: the connection is paused when the stream begins.
        let reader = try Reader(server, head + String(repeating: "x", count: 200_000))
        #expect(reader.head.hasPrefix("HTTP/1.1 200 ") && endings.wait() == ["answered"])
        reader.peer.send([UInt8](repeating: 0x78, count: 500_000))
        server.rest()
        #expect(reader.peer.unreadByteCount == 0)
        server.server.publish("x", to: "news")
        server.rest()
        #expect(reader.texts == ["x"] && counters(of: server).eventStreams == 1)
    }

    @Test func `no reference is made of a stream`() async throws {
        let server = server()
        _ = try Reader(server)
        let loop = try #require(server.simulation.loop.installedHandler as? SocketLoop)
        #expect(loop.sessions.count == 1 && loop.eventStreamCount == 1)
        let kinds = Journal<Bool>()
        loop.sessions.forEach { session in session.withKind { kinds.note($0.handlers is TypedHandlers<Void>) } }
        #expect(kinds.entries == [false])
    }
}
