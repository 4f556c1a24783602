import Reactor
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Control frames do not wait behind messages (RFC 6455 §5.5.2), and never stand inside of one (§5.4).
@Suite(.endingAll) struct ControlFrameTests {
    /// Sends so many messages of so many bytes at the first message.
    private static func flooding(_ count: Int, _ byteCount: Int, _ options: WebSocketOptions = .init())
        -> WebSocketHandlers<Void>
    {
        WebSocketHandlers(
            options: options,
            message: { ws, _ in for _ in 0..<count { ws.send([UInt8](repeating: 1, count: byteCount)) } })
    }

    /// Lets the peer read until all has come.
    private static func readAll(_ socket: SimulatedSocket, _ server: SimulatedServer, step: Int = 100_000)
        -> [SocketClient.Frame]
    {
        var frames: [SocketClient.Frame] = []
        for _ in 0..<2_000 {
            socket.peer.makeRoom(step)
            server.rest()
            frames += socket.frames()
        }
        return frames
    }

    @Test(arguments: [false, true])
    func `a pong goes in front of whole messages that wait`(isBatched: Bool) {
        let server = SimulatedServer(Self.flooding(20, 60_000))
        server.simulation.driver.options.sendsInBatches = isBatched
        let socket = server.open(window: 100_000)
        socket.send("go")
        socket.send(.ping, [7])
        socket.send(.ping, [8])
        let kinds = Self.readAll(socket, server).map(\.opcode)
        #expect(kinds.count == 22 && kinds.filter { $0 == .pong }.count == 2)
        // What the kernel has taken, and the operation that was under way.
        #expect(kinds.firstIndex(of: .pong).map { $0 <= 10 } == true)
    }

    @Test func `in one write with a message beyond the limit, a ping is answered`() {
        let echo = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 1_000), message: { ws, message in ws.send(message) })
        let server = SimulatedServer(echo)
        let socket = server.open()
        socket.peer.send(
            SocketClient.encode(.binary, [UInt8](repeating: 1, count: 67_000)) + SocketClient.encode(.ping, [63]))
        server.rest()
        #expect(Set(socket.frames().map(\.opcode)) == [.binary, .pong])
    }

    @Test func `with more queued than the limit every ping is answered, in order`() {
        let server = SimulatedServer(Self.flooding(17, 1 << 20))
        let socket = server.open(window: 1_000)
        socket.send("go")
        for number in 1...50 { socket.send(.ping, [UInt8(number)]) }
        let frames = Self.readAll(socket, server)
        #expect(frames.filter { $0.opcode == .pong }.map(\.payload) == (1...50).map { [UInt8($0)] })
        #expect(frames.prefix(2).map(\.opcode) == [.binary, .pong], "behind the message that was being sent")
        #expect(frames.count { $0.opcode == .binary } == 16)
    }

    @Test func `a subscriber that is slower than its topic gets its pongs, whatever waits by its policy`() {
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 4 << 20, idleTimeout: .zero), open: { ws in ws.subscribe(to: "all") },
            message: { ws, message in ws.publish(message, to: "all") })
        let message = SocketClient.encode(.binary, [UInt8](repeating: 1, count: 50_000))
        for policy in [SlowConsumerPolicy.dropNewest, .dropOldest] {
            let server = SimulatedServer(handlers) { $0.slowConsumerPolicy = policy }
            let (publisher, slow) = (server.open(), server.open(window: 100_000))
            var (unanswered, worst) = (0, 0)
            for second in 0..<60 {
                for _ in 0..<20 {
                    publisher.peer.send(message)
                    server.rest()
                }
                slow.send(.ping, [UInt8(second)])
                unanswered += 1
                for _ in 0..<10 {
                    slow.peer.makeRoom(75_000)
                    server.rest()
                }
                unanswered -= slow.count(.pong)
                worst = max(worst, unanswered)
                _ = publisher.frames()
            }
            #expect(worst <= 1, "\(policy)")
        }
    }

    @Test func `pings that nobody reads the answers of are bounded, and the newest is answered`() {
        let server = SimulatedServer(Self.flooding(2, 60_000))
        let socket = server.open(window: 0)
        socket.send("go")
        for number in 0..<900 { socket.send(.ping, [UInt8(number & 0xFF)] + [UInt8](repeating: 0, count: 124)) }
        guard let loop = server.simulation.loop.installedHandler as? SocketLoop else { return }
        var queued = 0
        loop.sessions.forEach { queued = $0.connection.urgentByteCount }
        #expect(queued >= Session.controlRoom && queued < Session.controlRoom + 127)
        let pongs = Self.readAll(socket, server).filter { $0.opcode == .pong }
        #expect(pongs.count == 518 && pongs.last?.payload.first == UInt8(899 & 0xFF))
    }

    @Test func `a Close stays behind all messages, and pings go in front of them, of users too`() {
        let handlers = WebSocketHandlers<Void>(message: { ws, _ in
            for _ in 0..<10 { ws.send([UInt8](repeating: 1, count: 60_000)) }
            ws.ping("a")
            ws.ping("b")
            ws.close()
        })
        let server = SimulatedServer(handlers)
        let socket = server.open(window: 1_000)
        socket.send("go")
        let frames = Self.readAll(socket, server)
        #expect(frames.last?.opcode == .close && frames.count { $0.opcode == .binary } == 10)
        #expect(frames.prefix(2).map(\.text) == ["a", "b"], "more than a turn's worth was queued")
    }

    @Test func `the answer to the handshake comes before a ping of the open handler`() {
        let handlers = WebSocketHandlers<Void>(open: { ws in
            ws.send([UInt8](repeating: 1, count: 100_000))
            ws.ping()
        })
        let server = SimulatedServer(handlers)
        let socket = server.open()
        #expect(Set(socket.frames().map(\.opcode)) == [.binary, .ping])
    }

    @Test func `how many control frames are a flood is an option`() {
        let server = SimulatedServer(
            WebSocketHandlers<Void>(options: .init(maxControlFrames: 3), message: { _, _ in }))
        let socket = server.open()
        for _ in 0..<4 { socket.send(.ping) }
        #expect(socket.frames().map(\.opcode) == [.pong, .pong, .pong, .close])
    }
}
