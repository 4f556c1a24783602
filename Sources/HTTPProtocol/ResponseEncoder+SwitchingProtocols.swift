package import HTTPTypes

extension ResponseEncoder {
    /// Writes the response that makes a WebSocket of the connection (RFC 6455 §4.2.2).
    ///
    /// - Parameters:
    ///   - acceptValue: The value of `Sec-WebSocket-Accept`.
    ///   - subprotocol: The value of `Sec-WebSocket-Protocol`; nil leaves it out.
    ///   - extensions: The value of `Sec-WebSocket-Extensions`; nil leaves it out.
    ///   - fields: The user's. Those that belong to the handshake or to framing are left out; repeated ones are kept.
    package static func encodeSwitchingProtocols(
        acceptValue: String, subprotocol: String? = nil, extensions: String? = nil, fields: HTTPFields = [:],
        into output: inout [UInt8]
    ) throws(UnsendableResponse) {
        try appendWhole(into: &output) { output throws(UnsendableResponse) in
            output.append(contentsOf: headUpToAcceptValue)
            try output.appendValue(acceptValue, of: "Sec-WebSocket-Accept")
            if let subprotocol { try output.appendField("Sec-WebSocket-Protocol", subprotocol) }
            if let extensions { try output.appendField("Sec-WebSocket-Extensions", extensions) }
            try output.endHead(with: fields, without: belongsToHandshake)
        }
    }

    /// What every such response begins with.
    private static let headUpToAcceptValue = [UInt8](
        """
        HTTP/1.1 101 Switching Protocols\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Accept:\u{20}
        """.utf8)

    /// Whether the handshake or the framing says what a field of this name has to hold.
    static func belongsToHandshake(_ name: HTTPField.Name) -> Bool {
        switch name.canonicalName {
        case "upgrade", "connection", "content-length", "transfer-encoding": true
        default: name.canonicalName.hasPrefix("sec-websocket-")
        }
    }
}
