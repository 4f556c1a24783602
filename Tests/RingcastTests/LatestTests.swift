import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Policies that evict, at the bounds between a large turn, being behind, and the limit.
@Suite(.endingAll) struct LatestTests {
    /// "join" subscribes to "t"; "COUNT SIZE" publishes so many in one turn.
    private func serve(_ policy: SlowConsumerPolicy, limit: Int) -> SimulatedServer {
        let options = WebSocketOptions(backpressureLimit: limit, idleTimeout: .zero, writeStallTimeout: .zero)
        let handlers = WebSocketHandlers<Void>(
            options: options,
            message: { ws, message in
                if message.string == "join" {
                    ws.subscribe(to: "t")
                    return
                }
                let numbers = message.string.split(separator: " ").compactMap { Int($0) }
                for number in 0..<numbers[0] {
                    let head = [UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
                    ws.publish(head + [UInt8](repeating: 0, count: numbers[1] - 2), to: "t")
                }
            })
        return SimulatedServer(handlers) { $0.slowConsumerPolicy = policy }
    }

    private func numbers(_ socket: SimulatedSocket) -> [Int] {
        socket.frames().map { Int($0.payload[0]) << 8 | Int($0.payload[1]) }
    }

    @Test func `latest loses nothing of a large turn for a subscriber that keeps up`() {
        let server = serve(.latest, limit: 16 << 20)
        let (publisher, reader) = (server.open(), server.open())
        reader.send("join")
        publisher.send("200 1000")
        #expect(numbers(reader) == Array(0..<200))
        #expect(server.core.counters[0].load().dropsSuperseded == 0)
    }

    @Test func `once it is behind, only the newest of what waits stays`() {
        let server = serve(.latest, limit: 16 << 20)
        let (publisher, slow) = (server.open(), server.open(window: 100_000))
        slow.send("join")
        publisher.send("200 1000")
        slow.peer.makeRoom(1_000_000)
        server.rest()
        let received = numbers(slow)
        #expect(received.last == 199 && received.dropLast() == ArraySlice(0..<received.count - 1))
        let figures = server.core.counters[0].load()
        #expect(figures.dropsSuperseded > 0 && figures.deliveries + figures.dropsSuperseded == 200)
        #expect(received.count == Int(figures.deliveries))
        // It has caught up.
        publisher.send("100 1000")
        #expect(numbers(slow) == Array(0..<100))
    }

    @Test(arguments: [SlowConsumerPolicy.dropOldest, .latest])
    func `the limit counts what small frames cost in memory`(policy: SlowConsumerPolicy) {
        let (limit, cost) = (64 << 10, 14 + Backlog.entryCost)
        let server = serve(policy, limit: limit)
        let (publisher, slow) = (server.open(), server.open(window: 0))
        slow.send("join")
        // It is blocked from the next turn on.
        publisher.send("1 12")
        publisher.send("10000 12")
        slow.peer.makeRoom(1_000_000)
        server.rest()
        let received = numbers(slow)
        #expect(received.last == 9_999)
        #expect(received.count <= (policy == .latest ? 2 : limit / cost + 2), "\(received.count) of \(cost) bytes")
        let figures = server.core.counters[0].load()
        #expect(figures.deliveries + figures.dropsEvicted + figures.dropsSuperseded == 10_001)
    }

    @Test func `a frame evicts no more than has to go for it`() {
        let server = serve(.dropOldest, limit: 64 << 10)
        let (publisher, slow) = (server.open(), server.open(window: 0))
        slow.send("join")
        publisher.send("1 12")
        publisher.send("1000 12")
        for _ in 0..<40 {
            let before = server.core.counters[0].load().dropsEvicted
            publisher.send("1 12")
            #expect(server.core.counters[0].load().dropsEvicted == before + 1)
        }
    }

    @Test func `what waits when a socket is cut is counted as dropped`() {
        let server = serve(.dropOldest, limit: 64 << 10)
        let (publisher, slow) = (server.open(), server.open(window: 0))
        slow.send("join")
        publisher.send("1 12")
        publisher.send("20 12")
        slow.peer.reset()
        server.rest()
        let figures = server.core.counters[0].load()
        #expect(figures.deliveries == 1 && figures.dropsClosed == 20)
    }
}
