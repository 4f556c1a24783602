import HTTPProtocol
import HTTPTypes
import Testing

@Suite struct SwitchingProtocolsTests {
    private static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    private static let start =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

    @Test func `the smallest handshake has three fields`() throws {
        var output: [UInt8] = []
        try ResponseEncoder.encodeSwitchingProtocols(acceptValue: Self.accept, into: &output)
        #expect(String(decoding: output, as: UTF8.self) == Self.start + "\r\n")
    }

    @Test func `a subprotocol and extensions are named`() throws {
        var output: [UInt8] = []
        try ResponseEncoder.encodeSwitchingProtocols(
            acceptValue: Self.accept, subprotocol: "chat", extensions: "permessage-deflate", into: &output)
        let rest = "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        #expect(String(decoding: output, as: UTF8.self) == Self.start + rest)
    }

    @Test func `fields of the handshake cannot be overridden, others are kept`() throws {
        var fields: HTTPFields = [
            .upgrade: "h2c", .connection: "close", .secWebSocketAccept: "forged", .secWebSocketProtocol: "other",
            .secWebSocketExtensions: "other", .contentLength: "5", .transferEncoding: "chunked",
            HTTPField.Name("sec-websocket-version")!: "12",
        ]
        fields.append(HTTPField(name: .setCookie, value: "a=1"))
        fields.append(HTTPField(name: .setCookie, value: "b=2"))
        fields[HTTPField.Name("X-Served-By")!] = "ringcast"
        var output: [UInt8] = []
        try ResponseEncoder.encodeSwitchingProtocols(acceptValue: Self.accept, fields: fields, into: &output)
        let rest = "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Served-By: ringcast\r\n\r\n"
        #expect(String(decoding: output, as: UTF8.self) == Self.start + rest)
    }

    @Test(arguments: ["a\r\nX: y", "a\nb", "a\u{0}"])
    func `a subprotocol with a line break or NUL throws and appends nothing`(subprotocol: String) {
        var output: [UInt8] = [1]
        #expect(throws: UnsendableResponse.field(name: "Sec-WebSocket-Protocol")) {
            try ResponseEncoder.encodeSwitchingProtocols(
                acceptValue: Self.accept, subprotocol: subprotocol, into: &output)
        }
        #expect(output == [1])
    }
}
