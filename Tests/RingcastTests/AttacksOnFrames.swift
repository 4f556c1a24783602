import Ringcast
import Testing
import WebSocketProtocol

/// What has brought other WebSocket servers down, one test each: the frames. Each test ends with a bystander on the
/// same loop who is served as before.
@Suite("Known attacks") struct FrameAttacks {
    static let payloadLimit = 64 << 10

    /// An echo on one loop, a bystander, and an attacker; `journal` has every message of the attackers.
    private func attacked(_ attack: @Sendable (SocketClient, _ journal: Journal<Int>) throws -> Void) async throws {
        let journal = Journal<Int>()
        let handlers = WebSocketHandlers<Bool>(
            options: .init(maxPayloadLength: Self.payloadLimit),
            message: { ws, message in
                if ws.data { journal.note(message.bytes.count) }
                ws.send(message)
            })
        try await serving(
            { $0.loops = .count(1) },
            fetch: { request in .upgrade(to: handlers, with: request.path == "/attack") }
        ) { server in
            let bystander = try SocketClient(port: server.port)
            let attacker = try SocketClient(port: server.port, path: "/attack")
            try attack(attacker, journal)
            try bystander.send("still there?")
            #expect(try bystander.readText() == "still there?")
        }
    }

    private func repeated(_ frame: [UInt8], _ count: Int) -> [UInt8] {
        Array(repeatElement(frame, count: count).joined())
    }

    // MARK: fragments (CWE-770: what each costs must not outgrow what it carries)

    @Test func `a message in tens of thousands of one-byte fragments is one message, within the bound`() async throws {
        try await attacked { attacker, journal in
            let fragment = SocketClient.encode(.continuation, [0x61], isFinal: false)
            try attacker.send(.text, [], isFinal: false)
            try attacker.connection.send(repeated(fragment, Self.payloadLimit))
            try attacker.send(.continuation, [])
            #expect(try attacker.read().payload.count == Self.payloadLimit)
            try attacker.send(.text, [], isFinal: false)
            try attacker.connection.send(repeated(fragment, Self.payloadLimit + 1))
            #expect(try attacker.read().closeCode == 1009)
            #expect(journal.entries == [Self.payloadLimit])
        }
    }

    @Test func `an endless message of empty fragments is closed with 1008, though its length never grows`() async throws
    {
        try await attacked { attacker, journal in
            let fragment = SocketClient.encode(.continuation, [], isFinal: false)
            try attacker.send(.binary, [1], isFinal: false)
            try attacker.connection.send(repeated(fragment, 1_024))
            try attacker.send(.continuation, [2])
            #expect(try attacker.read().payload == [1, 2], "1,024 are allowed")
            try attacker.send(.binary, [1], isFinal: false)
            try attacker.connection.send(repeated(fragment, 1_025))
            #expect(try attacker.read().closeCode == 1008)
            #expect(try attacker.isAtEnd())
            #expect(journal.entries == [2])
        }
    }

    // MARK: lengths (integer overflow as in CVE-2020-27813; allocation by announcement as in CVE-2016-10542)

    @Test(
        arguments: [
            ([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1009),
            ([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xF0], 1009),
            ([0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00], 1009),
            // The top bit makes it negative where lengths are signed (RFC 6455 §5.2).
            ([0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], 1002),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1002),
        ] as [([UInt8], Int)], [true, false])
    func `a length of 64 bits neither overflows nor allocates`(length: ([UInt8], Int), isFirst: Bool) async throws {
        try await attacked { attacker, journal in
            // Behind a fragment, its sum with what has come is what overflows.
            if !isFirst { try attacker.send(.binary, [UInt8](repeating: 1, count: 1_000), isFinal: false) }
            try attacker.connection.send([isFirst ? 0x82 : 0x80, 0x80 | 127] + length.0 + [1, 2, 3, 4, 5, 6])
            #expect(try attacker.read().closeCode == length.1)
            #expect(try attacker.isAtEnd())
            #expect(journal.entries == [])
        }
    }

    // MARK: bytes that were never sent (CWE-908, as in CVE-2016-10518)

    @Test func `what a close or a ping does not say is not filled with the server's memory`() async throws {
        try await attacked { attacker, _ in
            // What the server's buffers hold now.
            let secret = [UInt8]("secret".utf8)
            for _ in 0..<20 {
                let message = repeated(secret, 150)
                try attacker.send(.binary, Array(message.prefix(400)), isFinal: false)
                try attacker.send(.continuation, Array(message.dropFirst(400)))
                #expect(try attacker.read().payload == message)
            }
            for count in [0, 1, 124, 125] {
                try attacker.send(.ping, [UInt8](repeating: 0x70, count: count))
                #expect(try attacker.read().payload == [UInt8](repeating: 0x70, count: count))
            }
            // A reason of 123 bytes is announced, and only its first three come.
            try attacker.connection.send([0x88, 0x80 | 125, 0, 0, 0, 0, 0x03, 0xE8, 0x61, 0x62, 0x63])
            #expect(!attacker.connection.hasInput(within: 50), "it is not answered before it is whole")
            try attacker.connection.send([UInt8](repeating: 0x64, count: 120))
            let answer = try attacker.read()
            #expect(answer.closeCode == 1000)
            #expect(answer.closeReason.allSatisfy { "abcd".contains($0) })
            #expect(try attacker.isAtEnd())
        }
    }

    @Test(arguments: [nil, 1000, 3000] as [Int?])
    func `a close without a reason is answered without one`(code: Int?) async throws {
        try await attacked { attacker, _ in
            try attacker.send(String(repeating: "secret", count: 100))
            _ = try attacker.read()
            try attacker.sendClose(code)
            #expect(try attacker.read().payload == (code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []))
            #expect(try attacker.isAtEnd())
        }
    }

    @Test func `a close of one byte, half a code, is 1002`() async throws {
        try await attacked { attacker, _ in
            try attacker.send(.close, [0x03])
            let answer = try attacker.read()
            #expect(answer.closeCode == 1002 && !answer.closeReason.contains("\0"))
        }
    }
}
