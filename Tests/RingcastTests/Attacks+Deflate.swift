import Testing
import WebSocketProtocol

@testable import Ringcast

/// Known attacks on permessage-deflate: what each would have to break, and that it does not.
@Suite struct DeflateAttacks {
    private static let limit = 1 << 20
    private static let echo = DeflateTests.echo(true, limit: limit)

    /// Zeros, deflated: about a thousandth of so many bytes.
    static func bomb(_ count: Int) -> [UInt8] {
        var deflater = Deflater(windowBits: 15, keepsContext: false)
        var buffer = MessageBuffer()
        let zeros = [UInt8](repeating: 0, count: count)
        deflater.deflate(unsafe zeros.span.bytes, into: &buffer)
        return unsafe buffer.bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// That others are served.
    private static func expectServing(_ server: Server) throws {
        let client = try SocketClient(port: server.port, fields: SocketClient.offer())
        try client.sendDeflated("still there")
        #expect(try client.readText() == "still there")
    }

    /// A message of 1 MiB is one of 1 GiB. It is refused with 1009 once it has become longer than a message may be, and
    /// no more memory than that is ever taken for it.
    @Test func `an inflate bomb`() async throws {
        try await serving(Self.echo) { server in
            let bomb = Self.bomb(64 << 20)
            #expect(bomb.count < Self.limit)
            for offer in ["", "client_no_context_takeover"] {
                let client = try SocketClient(port: server.port, fields: SocketClient.offer(offer))
                try client.connection.send(SocketClient.encode(.binary, bomb, isCompressed: true))
                #expect(try client.readClose().closeCode == 1009)
                #expect(try client.isAtEnd())
            }
            // In fragments it is the same.
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            for (index, start) in stride(from: 0, to: bomb.count, by: 10_000).enumerated() {
                let piece = Array(bomb[start..<min(start + 10_000, bomb.count)])
                let frame = SocketClient.encode(
                    index == 0 ? .binary : .continuation, piece, isFinal: start + 10_000 >= bomb.count,
                    isCompressed: index == 0)
                try client.connection.send(frame)
            }
            #expect(try client.readClose().closeCode == 1009)
            try Self.expectServing(server)
        }
    }

    /// The memory of the one bomb is bounded by the buffer: a byte more than the limit.
    @Test func `an inflate bomb's memory`() throws {
        let bomb = Self.bomb(64 << 20)
        var inflater = Inflater(windowBits: 15, keepsContext: false)
        var buffer = MessageBuffer()
        #expect(throws: ProtocolViolation.messageTooBig) {
            try inflater.inflate(unsafe bomb.span.bytes, limit: Self.limit, into: &buffer)
        }
        #expect(buffer.count == Self.limit + 1)
    }

    /// A decompressor that is given what it cannot go on with must not be called again and again. What is not a whole
    /// deflated message is refused with 1007, at once.
    @Test(arguments: [
        [0xFF], [0x06], [0x00, 0x05], [0xF2, 0x48, 0xCD], [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48], [0x01], [0xF3, 0x48],
        [0x04, 0xC0, 0x81, 0x08, 0x00, 0x00, 0x00, 0x00, 0x20, 0x7F, 0xEB, 0x0B, 0x00, 0x00],
    ])
    func `inflate that makes no progress`(payload: [UInt8]) async throws {
        try await serving(Self.echo) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            try client.connection.send(SocketClient.encode(.binary, payload, isCompressed: true))
            #expect(try client.read().closeCode == 1007)
            #expect(try client.isAtEnd())
            try Self.expectServing(server)
        }
    }

    /// A message of nothing but ends of streams gives no output, and ends.
    @Test func `many empty streams in one message`() async throws {
        try await serving(Self.echo) { server in
            let client = try SocketClient(port: server.port, fields: SocketClient.offer())
            // 03 00: a final block with nothing in it.
            let payload = Array(repeating: [0x03, 0x00] as [UInt8], count: 100_000).flatMap { $0 }
            try client.connection.send(SocketClient.encode(.binary, payload, isCompressed: true))
            #expect(try client.read() == .init(opcode: .binary, payload: []))
            try Self.expectServing(server)
        }
    }

    /// Windows that zlib would refuse, or read as another format (over 15 it means gzip), never reach it.
    @Test(arguments: [
        "0", "1", "7", "16", "24", "31", "47", "-15", "255", "4294967311", "18446744073709551615",
        "99999999999999999999",
        "0x0f", "15.0", "",
    ])
    func `bad window bits`(bits: String) async throws {
        try await serving(DeflateTests.echo(SocketClient.dedicated)) { server in
            for name in ["server_max_window_bits", "client_max_window_bits"] {
                let client = try TCPClient(port: server.port)
                try client.send(SocketClient.request(fields: SocketClient.offer("\(name)=\(bits)")))
                let answer = try client.readAnswer()
                #expect(answer.status == (bits.isEmpty ? 400 : 101))
                #expect(answer["Sec-WebSocket-Extensions"] == nil)
            }
            try Self.expectServing(server)
        }
    }
}
