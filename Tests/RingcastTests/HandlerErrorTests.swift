import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Every handler may throw.
@Suite(.endingAll) struct HandlerErrorTests {
    enum Kind: String, Error, CaseIterable {
        case open, message, drain, ping, pong, subscription, dropped, close
    }

    /// Of these handlers each is called once when `drive` has its way, and one throws.
    private static func handlers(_ failing: Kind, _ journal: Journal<String>) -> WebSocketHandlers<Void> {
        @Sendable func run(_ kind: Kind) throws {
            journal.note("\(kind)")
            if kind == failing { throw kind }
        }
        return WebSocketHandlers(
            options: .init(backpressureLimit: 100_000),
            open: { _ in try run(.open) },
            message: { ws, _ in
                try run(.message)
                // The second one is beyond the cork's watermark, the third one beyond the limit.
                for _ in 0..<3 { ws.send([UInt8](repeating: 1, count: 60_000)) }
                ws.subscribe(to: "t")
            },
            drain: { _ in try run(.drain) },
            close: { _, code, _ in
                journal.note("\(code.rawValue)")
                try run(.close)
            },
            ping: { _, _ in try run(.ping) },
            pong: { _, _ in try run(.pong) },
            error: { _, error in journal.note("error \(error)") },
            subscription: { _, _, _, after in if after == 1 { try run(.subscription) } },
            dropped: { _, _ in try run(.dropped) })
    }

    private static func drive(_ socket: SimulatedSocket) {
        socket.send("go")
        socket.send(.ping, [1])
        socket.send(.pong, [2])
    }

    @Test(arguments: Kind.allCases.filter { $0 != .close })
    func `an error goes to error, and the socket closes with 1011`(failing: Kind) {
        let journal = Journal<String>()
        let server = SimulatedServer(Self.handlers(failing, journal))
        let socket = server.open()
        Self.drive(socket)
        let entries = journal.entries
        #expect(entries.count { $0 == failing.rawValue } == 1)
        #expect(entries.filter { $0.hasPrefix("error") } == ["error \(failing)"])
        #expect(socket.frames().last?.closeCode == 1011)
        socket.send(.close, [3, 243])
        #expect(journal.entries.suffix(2) == ["1011", "close"])
    }

    @Test func `an error of the close handler goes to error, and changes nothing`() {
        let journal = Journal<String>()
        let server = SimulatedServer(Self.handlers(.close, journal))
        let socket = server.open()
        Self.drive(socket)
        socket.send(.close, [3, 232])
        #expect(socket.frames().last?.closeCode == 1000)
        #expect(journal.entries.suffix(3) == ["1000", "close", "error close"])
        // In the order of their events, each once.
        #expect(journal.entries.prefix(7) == ["open", "message", "dropped", "subscription", "drain", "ping", "pong"])
    }
}
