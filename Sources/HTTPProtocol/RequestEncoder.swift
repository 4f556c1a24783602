package import HTTPTypes

/// Writes the heads of a client's requests (RFC 9112 §3, §5).
package enum RequestEncoder {
    /// The request that asks for a WebSocket (RFC 6455 §4.1).
    ///
    /// - Parameters:
    ///   - target: Path and query, encoded.
    ///   - host: What `Host` says, unless `fields` has a `Host`.
    ///   - subprotocols: The names in `Sec-WebSocket-Protocol`, which is left out where there are none.
    ///   - extensions: The value of `Sec-WebSocket-Extensions`; nil leaves it out.
    ///   - fields: The user's. Those that belong to the handshake or to framing are left out; repeated ones are kept.
    package static func encodeUpgrade(
        target: String, host: String, key: String, subprotocols: [String] = [], extensions: String? = nil,
        fields: HTTPFields = [:], into output: inout [UInt8]
    ) throws(UnsendableResponse) {
        try ResponseEncoder.appendWhole(into: &output) { output throws(UnsendableResponse) in
            output.append(contentsOf: "GET \(target) HTTP/1.1\r\n".utf8)
            if fields[hostName] == nil { try output.appendField("Host", host) }
            try output.appendField("Upgrade", "websocket")
            try output.appendField("Connection", "Upgrade")
            try output.appendField("Sec-WebSocket-Key", key)
            try output.appendField("Sec-WebSocket-Version", "13")
            if !subprotocols.isEmpty {
                try output.appendField("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", "))
            }
            if let extensions { try output.appendField("Sec-WebSocket-Extensions", extensions) }
            try output.endHead(with: fields, without: ResponseEncoder.belongsToHandshake)
        }
    }

    /// The request that asks a proxy for a tunnel (RFC 9110 §9.3.6).
    /// - Parameters:
    ///   - authority: Host and port of the tunnel's other end.
    ///   - fields: What the proxy is to know, such as `Proxy-Authorization`.
    package static func encodeConnect(
        authority: String, fields: HTTPFields = [:], into output: inout [UInt8]
    ) throws(UnsendableResponse) {
        try ResponseEncoder.appendWhole(into: &output) { output throws(UnsendableResponse) in
            output.append(contentsOf: "CONNECT \(authority) HTTP/1.1\r\n".utf8)
            try output.appendField("Host", authority)
            try output.endHead(with: fields)
        }
    }

    private static let hostName = HTTPField.Name("Host")!
}
