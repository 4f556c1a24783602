import Glibc
import Ringcast
import Synchronization

/// The endpoints that loads go to, as `ringcast serve` has them.
enum TestServer {
    static func make() throws -> Server {
        let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })
        let deflated = WebSocketHandlers<Void>(
            options: WebSocketOptions(perMessageDeflate: true), message: { ws, message in ws.send(message) })
        let sink = WebSocketHandlers<Void>(message: { _, _ in })
        let wrong = WebSocketHandlers<Void>(message: { ws, message in ws.sendBinary(message.bytes.reversed()) })
        let twice = WebSocketHandlers<Void>(
            message: { ws, message in
                ws.send(message)
                ws.send(message)
            })
        let lossy = WebSocketHandlers<Int>(
            message: { ws, message in
                ws.data += 1
                if ws.data % 10 != 0 { ws.send(message) }
            })
        let forty = Shared()
        var toSelf = WebSocketOptions()
        toSelf.publishToSelf = true
        let chat = WebSocketHandlers<Void>(
            options: toSelf, open: { $0.subscribe(to: "chat") }, message: { $0.publish($1, to: "chat") })
        let member = WebSocketHandlers<Topic>(
            open: { $0.subscribe(to: $0.data) }, message: { $0.publish($1, to: $0.data) })
        let publisher = WebSocketHandlers<Topic>(message: { $0.publish($1, to: $0.data) })
        let lossyPublisher = WebSocketHandlers<(topic: Topic, count: Int)>(
            message: { ws, message in
                ws.data.count += 1
                if ws.data.count % 10 != 0 { ws.publish(message, to: ws.data.topic) }
            })
        return try Server(configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(2), pinsThreads: false)) {
            request in
            switch request.path {
            case "/echo": return .upgrade(to: echo, with: ())
            case "/deflated": return .upgrade(to: deflated, with: ())
            case "/sink": return .upgrade(to: sink, with: ())
            case "/wrong": return .upgrade(to: wrong, with: ())
            case "/twice": return .upgrade(to: twice, with: ())
            case "/lossy": return .upgrade(to: lossy, with: 0)
            case "/swapping": return .upgrade(to: swapping, with: nil)
            case "/stall": return .upgrade(to: stall, with: 0)
            case "/stall-later": return .upgrade(to: stallLater, with: ContinuousClock.now + .seconds(1))
            case "/forty":
                let isIn = forty.count.add(1, ordering: .relaxed).newValue <= 40
                return isIn ? .upgrade(to: sink, with: ()) : .response(.serviceUnavailable)
            case "/chat": return .upgrade(to: chat, with: ())
            case let path where path.hasPrefix("/topic/"):
                return .upgrade(to: member, with: Topic(String(path.dropFirst(7))))
            case let path where path.hasPrefix("/publish/"):
                return .upgrade(to: publisher, with: Topic(String(path.dropFirst(9))))
            case let path where path.hasPrefix("/lossy-publish/"):
                return .upgrade(to: lossyPublisher, with: (Topic(String(path.dropFirst(15))), 0))
            default: return .response(.notFound)
            }
        }
    }

    /// Every other message overtakes the one before it.
    private static let swapping = WebSocketHandlers<OwnedMessage?>(
        message: { ws, message in
            guard let held = ws.data else { return ws.data = OwnedMessage(message) }
            ws.send(message)
            ws.send(held)
            ws.data = nil
        })

    /// Its loop stands still once, at the 50th message of a connection.
    private static let stall = WebSocketHandlers<Int>(
        message: { ws, message in
            ws.data += 1
            if ws.data == 50 { usleep(stallMicroseconds) }
            ws.send(message)
        })

    /// Its loop stands still once, a second behind the beginning of a connection.
    private static let stallLater = WebSocketHandlers<ContinuousClock.Instant?>(
        message: { ws, message in
            if let time = ws.data, ContinuousClock.now > time {
                ws.data = nil
                usleep(stallMicroseconds)
            }
            ws.send(message)
        })

    static let stallMicroseconds: UInt32 = 400_000

    private final class Shared: Sendable { let count = Atomic<Int>(0) }

    /// Serves while `body` runs; the URL has no path.
    static func run(_ body: (String) async throws -> Void) async throws {
        let server = try make()
        let running = Task { try await server.run() }
        defer { server.stop() }
        try await body("ws://127.0.0.1:\(server.port)")
        server.stop()
        try await running.value
    }
}
