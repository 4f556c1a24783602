import WebSocketProtocol

/// The client's half of permessage-deflate, as the server's answer says.
final class ClientCompression {
    let parameters: DeflateParameters
    private var inflater: Inflater
    private var deflater: Deflater

    /// Nil: there is no extension in the answer.
    init?(_ answer: HTTPAnswer) throws {
        let options = PerMessageDeflate(compress: .dedicated, decompress: .dedicated)
        guard let parameters = try options.confirm(answer: answer["Sec-WebSocket-Extensions"]) else { return nil }
        self.parameters = parameters
        let (outgoing, incoming) = (parameters.outgoing(of: .client), parameters.incoming(of: .client))
        inflater = Inflater(windowBits: incoming.windowBits, keepsContext: incoming.keepsContext)
        deflater = Deflater(windowBits: outgoing.windowBits, keepsContext: outgoing.keepsContext)
    }

    func inflate(_ payload: [UInt8]) throws -> [UInt8] {
        var buffer = MessageBuffer()
        try inflater.inflate(unsafe payload.span.bytes, limit: 1 << 26, into: &buffer)
        return unsafe buffer.bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    func deflate(_ message: [UInt8]) -> [UInt8] {
        var buffer = MessageBuffer()
        deflater.deflate(unsafe message.span.bytes, into: &buffer)
        return unsafe buffer.bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}

extension SocketClient {
    static let dedicated = PerMessageDeflate(compress: .dedicated, decompress: .dedicated)

    /// A header that offers the extension, with parameters.
    static func offer(_ parameters: String = "client_max_window_bits") -> [String] {
        ["Sec-WebSocket-Extensions: permessage-deflate" + (parameters.isEmpty ? "" : "; " + parameters)]
    }

    /// One frame, deflated as agreed.
    func sendDeflated(_ opcode: Opcode, _ message: [UInt8]) throws {
        guard let compression else { throw TCPClient.Failure(what: "no compression was agreed on") }
        try connection.send(Self.encode(opcode, compression.deflate(message), isCompressed: true))
    }

    func sendDeflated(_ text: String) throws { try sendDeflated(.text, [UInt8](text.utf8)) }
}
