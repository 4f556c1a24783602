import ReactorTesting
import Ringcast
import Testing

/// Answers that go on, over TLS and real sockets: what is written piece by piece becomes records.
@Suite(.blocking) struct SecureStreamTests {
    private let authority = TestAuthority()

    private func servingSecurely(
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        fetch: @escaping @Sendable (borrowing Request) throws -> Reply,
        body: @Sendable (Server) throws -> Void
    ) async throws {
        let tls = TLSConfiguration(certificates: [authority.issue("localhost")])
        try await serving(
            {
                $0.tls = tls
                change(&$0)
            }, fetch: fetch, body: body)
    }

    private static let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Pieces of less than a record, more than one, and more than the kernel holds in all.
    private static let pieces = (0..<200).map { number in
        [UInt8](repeating: UInt8(number), count: [1, 1_000, 16_384, 50_000][number % 4])
    }

    @Test(arguments: [false, true])
    func `a streamed body comes whole, in chunks or with its length, and another answer behind it`(_ hasLength: Bool)
        async throws
    {
        let length = Self.pieces.reduce(0) { $0 + $1.count }
        try await servingSecurely { request in
            if request.path == "/next" { return .response(.ok, "next") }
            return .stream(length: hasLength ? length : nil) { writer in
                for piece in Self.pieces { try await writer.write(piece) }
            }
        } body: { server in
            let client = try SecureClient(port: server.port)
            try client.send(Self.request + Self.request.replacing("/ ", with: "/next "))
            let answer = try client.readAnswer()
            #expect(answer["content-length"] == (hasLength ? "\(length)" : nil))
            #expect(answer.body == Self.pieces.flatMap { $0 })
            #expect(try client.readAnswer().text == "next")
        }
    }

    @Test func `events come to each reader in one order, wss among them, and their end is told`() async throws {
        let handlers = WebSocketHandlers<Void>(
            options: .init(publishToSelf: true), open: { ws in ws.subscribe(to: "news") },
            message: { ws, message in ws.publish(message, to: "news") })
        try await servingSecurely {
            $0.topics = [.matching("news", order: .total)]
        } fetch: { request in
            request.isWebSocketUpgrade ? .upgrade(to: handlers) : .events(of: "news")
        } body: { server in
            let readers = try (0..<3).map { _ in
                let reader = try SecureClient(port: server.port)
                try reader.send(Self.request)
                #expect(try reader.readAnswer()["content-type"]?.hasPrefix("text/event-stream") ?? false)
                return reader
            }
            let socket = try SecureClient(port: server.port)
            try socket.upgrade()
            #expect(eventually { server.subscriberCount(of: "news") == 4 })
            let long = String(repeating: "ü", count: 50_000)
            for number in 0..<40 {
                try socket.send(SocketClient.encode(.text, Array("socket \(number)".utf8)))
                server.publish("thread \(number) \(number % 10 == 0 ? long : "")", to: "news")
            }
            let heard = try (0..<80).map { _ in String(decoding: try socket.receiveFrame(), as: UTF8.self) }
            #expect(Set(heard).count == 80)
            for reader in readers {
                let events = try (0..<80).map { _ in
                    let line = try reader.readLine()
                    #expect(try line.hasPrefix("data: ") && reader.readLine() == "")
                    return String(line.dropFirst(6))
                }
                #expect(events == heard)
            }
            server.stop()
            for reader in readers { #expect(try reader.isAtEnd()) }
        }
    }
}
