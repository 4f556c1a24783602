import Reactor
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

@Suite(.endingAll) struct MessageRateTests {
    @Test func `a bucket gives its burst at once and then its rate`() {
        var bucket = TokenBucket(perSecond: 10, burst: 1_000, now: 0)
        for _ in 0..<10 { #expect(bucket.take(1, now: 0) == 0) }
        #expect(bucket.take(1, now: 0) == 100, "one token is owed")
        #expect(bucket.take(1, now: 100) == 100)
        #expect(bucket.take(1, now: 100_000) == 0)
        for _ in 0..<9 { #expect(bucket.take(1, now: 100_000) == 0) }
        #expect(bucket.take(1, now: 100_000) > 0, "a long silence saves up no more than the burst")
        var third = TokenBucket(perSecond: 3, burst: 0, now: 0)
        #expect(third.take(1, now: 0) == 0 && third.take(1, now: 0) == 334, "a third of a second, and no less")
    }

    @Test func `extreme numbers neither trap nor let go`() {
        var fast = TokenBucket(perSecond: 1 << 40, burst: 1 << 40, now: 0)
        #expect(fast.take(.max, now: .max) == 0 || fast.take(.max, now: .max) > 0)
        var slow = TokenBucket(perSecond: 1, burst: 0, now: 0)
        #expect(slow.take(1, now: 0) == 0)
        let pause = slow.take(.max, now: 0)
        #expect(pause >= 1 << 50)
        #expect(slow.take(0, now: pause + 1_000) == 0)
    }

    private static func server(_ limit: MessageRateLimit, _ journal: Journal<UInt64>) -> SimulatedServer {
        SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: .seconds(60), messageRate: limit),
                message: { ws, message in journal.note(UInt64(message.bytes.count)) }))
    }

    @Test func `messages beyond the rate wait, in order, and none is lost`() {
        let journal = Journal<UInt64>()
        let server = Self.server(MessageRateLimit(messagesPerSecond: 10), journal)
        let socket = server.open()
        socket.peer.send((1...100).flatMap { SocketClient.encode(.binary, [UInt8](repeating: 0, count: $0)) })
        server.rest()
        #expect(journal.entries == Array(1...11), "the burst, and the one that was too many")
        server.advance(.seconds(4))
        #expect((40...52).contains(journal.entries.count), "\(journal.entries.count) after 4 s")
        server.advance(.seconds(6))
        #expect(journal.entries == Array(1...100))
        #expect(socket.frames() == [], "its idle time rested")
    }

    @Test func `bytes are counted too, and one large message is paid for afterwards`() {
        let journal = Journal<UInt64>()
        let server = Self.server(MessageRateLimit(bytesPerSecond: 1_000, burst: .milliseconds(100)), journal)
        let socket = server.open()
        socket.send(.binary, [UInt8](repeating: 0, count: 10_100))
        socket.send(.binary, [1])
        server.advance(.seconds(9))
        #expect(journal.entries == [10_100])
        server.advance(.milliseconds(1_128))
        #expect(journal.entries == [10_100, 1])
    }

    @Test func `a peer that says too much can be closed with 1008 instead`() {
        let journal = Journal<UInt64>()
        let server = Self.server(MessageRateLimit(messagesPerSecond: 5, excess: .close), journal)
        let socket = server.open()
        for _ in 0..<20 {
            server.advance(.milliseconds(200))
            socket.send(.binary, [1])
        }
        #expect(journal.entries.count == 20 && socket.frames() == [])
        socket.peer.send((0..<7).flatMap { _ in SocketClient.encode(.binary, [1]) })
        server.rest()
        #expect(journal.entries.count == 24, "what was left of the burst")
        #expect(socket.frames().map(\.closeCode) == [1008])
    }

    @Test func `a socket that is paused while it is throttled stays so when the throttle ends`() {
        let journal = Journal<Int>()
        let server = SimulatedServer(
            WebSocketHandlers<Void>(
                options: .init(messageRate: MessageRateLimit(messagesPerSecond: 1)),
                message: { ws, message in
                    journal.note(message.byteCount)
                    if message.byteCount == 2 { ws.pause() }
                }))
        let socket = server.open()
        socket.peer.send((1...3).flatMap { SocketClient.encode(.text, [UInt8](repeating: 65, count: $0)) })
        server.advance(.seconds(10))
        #expect(journal.entries == [1, 2])
        guard let loop = server.simulation.loop.installedHandler as? SocketLoop else { return }
        loop.sessions.forEach { $0.release(.paused) }
        server.rest()
        #expect(journal.entries == [1, 2, 3])
    }

    @Test func `a throttled socket can be closed, and its peer's answer is read`() {
        let journal = Journal<String>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(maxLifetime: .seconds(2), messageRate: MessageRateLimit(messagesPerSecond: 1)),
                message: { _, _ in }, close: { _, code, _ in journal.note("\(code.rawValue)") }))
        let socket = server.open()
        for _ in 0..<5 { socket.send("x") }
        server.advance(.milliseconds(2_128))
        #expect(socket.frames().map(\.closeCode) == [1001])
        socket.send(.close, [3, 233])
        #expect(journal.entries == ["1001"] && socket.peer.hasSeenEnd)
    }

    @Test func `a peer can be told that it says too much, once a second, and what is too much is dropped`() {
        let journal = Journal<UInt64>()
        let server = Self.server(
            MessageRateLimit(messagesPerSecond: 10, excess: .reply(.text("slower"))), journal)
        let socket = server.open()
        socket.peer.send((1...100).flatMap { SocketClient.encode(.binary, [UInt8](repeating: 0, count: $0)) })
        server.rest()
        #expect(journal.entries == Array(1...10), "the burst")
        #expect(socket.frames().map(\.payload) == [Array("slower".utf8)])
        #expect(server.core.counters[0].load().messagesOverRate == 90)
        // Twenty messages a second for ten seconds: half of them are heard, and it is told once a second.
        var told = 0
        for _ in 0..<200 {
            server.advance(.milliseconds(50))
            socket.send(.binary, [0])
            told += socket.count(.text)
        }
        #expect((95...105).contains(journal.entries.count - 10), "\(journal.entries.count)")
        #expect((9...10).contains(told), "\(told)")
        server.advance(.seconds(1))
        socket.send(.binary, [0, 0])
        #expect(journal.entries.last == 2 && socket.frames() == [])
    }

    @Test func `a message in fragments is dropped like others`() {
        let journal = Journal<UInt64>()
        let server = Self.server(MessageRateLimit(messagesPerSecond: 1, excess: .reply(.binary([7]))), journal)
        let socket = server.open()
        let fragments =
            SocketClient.encode(.text, [0x61], isFinal: false) + SocketClient.encode(.continuation, [0x62])
        for _ in 0..<3 {
            socket.peer.send(fragments)
            server.rest()
        }
        #expect(journal.entries == [2] && socket.frames().map(\.payload) == [[7]])
        server.advance(.seconds(1))
        socket.peer.send(fragments)
        server.rest()
        #expect(journal.entries == [2, 2])
    }

    @Test func `bytes over the rate are refused until they are paid for`() {
        let journal = Journal<UInt64>()
        let server = Self.server(
            MessageRateLimit(bytesPerSecond: 1_000, burst: .milliseconds(100), excess: .reply(.text("slower"))), journal
        )
        let socket = server.open()
        socket.send(.binary, [UInt8](repeating: 0, count: 2_100))
        for _ in 0..<19 {
            server.advance(.milliseconds(100))
            socket.send(.binary, [1])
        }
        #expect(journal.entries == [2_100] && socket.count(.text) == 2)
        server.advance(.milliseconds(228))
        socket.send(.binary, [1])
        #expect(journal.entries == [2_100, 1])
    }
}
