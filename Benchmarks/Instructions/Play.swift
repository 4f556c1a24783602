/// The clients of a workload, and what they do in a round.
final class Play {
    private let workload: Workload
    private let world: World
    /// Who sends.
    private var senders: [Client] = []
    /// Who receives.
    private var receivers: [Client] = []

    private static let socketCount = 64
    private static let connectionCount = 16
    private static let batch = 16
    private static let largeBatch = 64
    private static let echoSize = 20
    private static let topicSize = 100
    /// How many messages `no-subscribers` publishes before it looks whether they have been read, by an echo.
    private static let publishCount = 256

    init(_ workload: Workload, in world: World) {
        self.workload = workload
        self.world = world
        switch workload {
        case .echo, .echo16, .tlsEcho, .tlsEcho16:
            receivers = (0..<Self.socketCount).map { _ in open("/echo") }
            senders = receivers
        case .fan1, .fan16:
            receivers = (0..<Self.socketCount).map { _ in open("/topic") }
            senders = [open("/publish")]
        case .acrossLoops, .lane64, .wakeUp:
            let count = workload == .acrossLoops ? Self.socketCount : 1
            receivers = (0..<count).map { _ in open("/topic", loop: 1) }
            senders = [open("/publish")]
        case .noSubscribers:
            receivers = [open("/echo")]
            senders = [open("/publish")]
        case .connection, .tlsConnection: break
        }
    }

    /// Returns how many messages or connections were had.
    @discardableResult
    func round() -> Int {
        world.passTime()
        switch workload {
        case .echo, .tlsEcho: return send(1, size: Self.echoSize)
        case .echo16, .tlsEcho16: return send(Self.batch, size: Self.echoSize)
        case .fan1, .acrossLoops, .wakeUp: return send(1, size: Self.topicSize)
        case .fan16: return send(Self.batch, size: Self.topicSize)
        case .lane64: return send(Self.largeBatch, size: Self.topicSize)
        case .noSubscribers: return publishToNobody()
        case .connection, .tlsConnection: return comeAndGo()
        }
    }

    private func open(_ path: String, loop: Int = 0) -> Client {
        let client = Client(port: world.ports[loop], isSecure: workload.isSecure)
        world.turn(until: client.isReady)
        client.send(Frames.upgrade(path: path))
        var head: [UInt8] = []
        world.turn {
            head += client.receive() ?? []
            return head.suffix(4) == [13, 10, 13, 10]
        }
        guard head.starts(with: "HTTP/1.1 101".utf8) else { fatalError("the server does not upgrade") }
        return client
    }

    /// Each sender sends so many messages, and each receiver gets so many. Returns how many are delivered.
    private func send(_ count: Int, size: Int) -> Int {
        let bytes = Frames.message(size, times: count)
        for sender in senders { sender.send(bytes) }
        receive(count * (2 + size))
        return count * receivers.count
    }

    /// Turns until each receiver has got so many bytes.
    private func receive(_ byteCount: Int) {
        var missing = receivers.map { _ in byteCount }
        world.turn {
            var isComplete = true
            for index in receivers.indices where missing[index] > 0 {
                missing[index] -= receivers[index].receive()?.count ?? 0
                if missing[index] > 0 { isComplete = false }
            }
            return isComplete
        }
        guard missing.allSatisfy({ $0 == 0 }) else { fatalError("the server sends more than it should") }
    }

    private func publishToNobody() -> Int {
        for _ in 0..<(Self.publishCount / Self.batch) {
            senders[0].send(Frames.message(Self.topicSize, times: Self.batch))
            world.turn()
        }
        receivers[0].send(Frames.message(Self.echoSize, times: 1))
        receive(2 + Self.echoSize)
        return Self.publishCount
    }

    private func comeAndGo() -> Int {
        let clients = (0..<Self.connectionCount).map { _ in open("/echo") }
        for client in clients { client.send(Frames.close) }
        var left = clients
        world.turn {
            left.removeAll { $0.receive() == nil }
            return left.isEmpty
        }
        clients.forEach { $0.close() }
        // The ends are seen, and then the answers to what was cancelled.
        for _ in 0..<4 { world.turn() }
        return Self.connectionCount
    }
}
