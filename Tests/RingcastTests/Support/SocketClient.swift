import WebSocketProtocol

/// A WebSocket client that does exactly what a test says, right or wrong.
final class SocketClient {
    let connection: TCPClient
    let answer: HTTPAnswer
    /// What the handshake agreed on, if anything.
    let compression: ClientCompression?

    struct Frame: Equatable, CustomStringConvertible {
        var opcode: Opcode
        var payload: [UInt8]
        var isFinal = true
        /// How long the payload was on the wire, if it was compressed.
        var deflatedCount: Int?

        var text: String { String(decoding: payload, as: UTF8.self) }
        var closeCode: Int? { payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil }
        var closeReason: String { String(decoding: payload.dropFirst(2), as: UTF8.self) }
        var description: String { "\(opcode) \(payload.count < 100 ? text : "\(payload.count) bytes")" }
    }

    /// Connects and upgrades.
    init(
        port: Int, path: String = "/", fields: [String] = [], receiveBuffer: Int32? = nil, segmentSize: Int32? = nil
    ) throws {
        connection = try TCPClient(port: port, receiveBuffer: receiveBuffer, segmentSize: segmentSize)
        try connection.send(Self.request(path: path, fields: fields))
        answer = try connection.readAnswer()
        guard answer.status == 101 else {
            throw TCPClient.Failure(what: "\(answer.status) instead of 101: \(answer.text)")
        }
        compression = try ClientCompression(answer)
    }

    /// Goes on from a handshake that has been done.
    init(upgraded connection: TCPClient, answer: HTTPAnswer) {
        self.connection = connection
        self.answer = answer
        compression = nil
    }

    static let fields = [
        "Host: test", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]

    static func request(path: String = "/", fields: [String] = []) -> String {
        "GET \(path) HTTP/1.1\r\n" + (Self.fields + fields).map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// A masked frame.
    static func encode(_ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true, isCompressed: Bool = false)
        -> [UInt8]
    {
        var bytes: [UInt8] = [opcode.rawValue | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0)]
        switch payload.count {
        case ...125: bytes.append(0x80 | UInt8(payload.count))
        case ...0xFFFF: bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: bytes += [0x80 | 127] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) }
        }
        let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        return bytes + key + masked(payload, by: key)
    }

    /// A payload with its mask, or without if it has it. In place: over a sequence of pairs a sanitizer takes
    /// microseconds for each byte.
    static func masked(_ payload: [UInt8], by key: [UInt8]) -> [UInt8] {
        var bytes = payload
        for index in bytes.indices { bytes[index] ^= key[index & 3] }
        return bytes
    }

    func send(_ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true) throws {
        try connection.send(Self.encode(opcode, payload, isFinal: isFinal))
    }

    func send(_ text: String) throws { try send(.text, [UInt8](text.utf8)) }

    func sendClose(_ code: Int? = 1000, _ reason: String = "") throws {
        try send(.close, code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] + reason.utf8 } ?? [])
    }

    func read() throws -> Frame {
        let head = try connection.read(2)
        let isCompressed = compression != nil && head[0] & 0x40 != 0
        guard let opcode = Opcode(rawValue: head[0] & 0x0F), head[0] & (isCompressed ? 0x30 : 0x70) == 0,
            head[1] & 0x80 == 0
        else {
            throw TCPClient.Failure(what: "not a frame of a server: \(head)")
        }
        var length = Int(head[1])
        let extra = length < 126 ? 0 : length == 126 ? 2 : 8
        if extra > 0 { length = try connection.read(extra).reduce(0) { $0 << 8 | Int($1) } }
        var frame = Frame(opcode: opcode, payload: try connection.read(length), isFinal: head[0] & 0x80 != 0)
        if isCompressed, let compression {
            frame.deflatedCount = length
            frame.payload = try compression.inflate(frame.payload)
        }
        return frame
    }

    func readText() throws -> String {
        let frame = try read()
        guard frame.opcode == .text else { throw TCPClient.Failure(what: "\(frame) instead of text") }
        return frame.text
    }

    /// Reads until the Close frame.
    func readClose() throws -> Frame {
        while true {
            let frame = try read()
            if frame.opcode == .close { return frame }
        }
    }

    func isAtEnd() throws -> Bool { try connection.isAtEnd() }
}
