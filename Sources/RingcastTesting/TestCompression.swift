package import WebSocketProtocol

/// A client's half of permessage-deflate, as it was agreed on.
package final class TestCompression {
    private var inflater: Inflater
    private var deflater: Deflater

    package init(_ parameters: DeflateParameters) {
        let (outgoing, incoming) = (parameters.outgoing(of: .client), parameters.incoming(of: .client))
        inflater = Inflater(windowBits: incoming.windowBits, keepsContext: incoming.keepsContext)
        deflater = Deflater(windowBits: outgoing.windowBits, keepsContext: outgoing.keepsContext)
    }

    /// - Parameter limit: bytes that a message may have.
    package func inflate(_ payload: [UInt8], limit: Int = 1 << 40) throws -> [UInt8] {
        var buffer = MessageBuffer()
        try inflater.inflate(unsafe payload.span.bytes, limit: limit, into: &buffer)
        return buffer.bytes.array
    }

    package func deflate(_ message: [UInt8]) -> [UInt8] {
        var buffer = MessageBuffer()
        deflater.deflate(unsafe message.span.bytes, into: &buffer)
        return buffer.bytes.array
    }
}

extension RawSpan {
    /// A copy of the bytes.
    var array: [UInt8] { unsafe withUnsafeBytes { unsafe [UInt8]($0) } }
}
