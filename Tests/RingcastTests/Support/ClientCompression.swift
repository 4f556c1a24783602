import RingcastTesting
import WebSocketProtocol

/// The client's half of permessage-deflate, as the server's answer says.
final class ClientCompression {
    let parameters: DeflateParameters
    private let half: TestCompression

    /// Nil: there is no extension in the answer.
    init?(_ answer: HTTPAnswer) throws {
        let options = PerMessageDeflate(compress: .dedicated, decompress: .dedicated)
        guard let parameters = try options.confirm(answer: answer["Sec-WebSocket-Extensions"]) else { return nil }
        self.parameters = parameters
        half = TestCompression(parameters)
    }

    func inflate(_ payload: [UInt8]) throws -> [UInt8] { try half.inflate(payload, limit: 1 << 26) }

    func deflate(_ message: [UInt8]) -> [UInt8] { half.deflate(message) }
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
