/// The first bytes of a client that speaks HTTP/2 (RFC 9113 §3.4). In HTTP/1.1 they are a malformed request: a port
/// without TLS tells both by them ("prior knowledge").
package enum HTTP2Preface {
    package static let bytes = [UInt8]("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// What the first bytes of a connection say.
    package enum Verdict: Hashable, Sendable {
        case http1, http2
        /// More bytes are needed.
        case unknown
    }

    /// Reads the beginning of what a client has sent. Nearly all of HTTP/1.1 differs at the first or third byte.
    package static func judge(_ received: RawSpan) -> Verdict {
        for offset in 0..<min(received.byteCount, bytes.count) {
            // A UInt8 has no invalid bit patterns, and the load checks its bounds.
            guard unsafe received.unsafeLoad(fromByteOffset: offset, as: UInt8.self) == bytes[offset] else {
                return .http1
            }
        }
        return received.byteCount < bytes.count ? .unknown : .http2
    }
}
