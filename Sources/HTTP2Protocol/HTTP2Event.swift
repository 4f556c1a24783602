/// A stream's number: odd, and growing with each request of a connection (RFC 9113 §5.1.1).
package typealias HTTP2StreamID = Int32

/// What a client's bytes have led to.
package enum HTTP2Event: Hashable, Sendable {
    /// A request has begun; without a body it is complete. From here on its stream is open, until `closed`.
    case request(HTTP2Head, HTTP2StreamID, hasBody: Bool)
    /// A request whose header list is over the limit, to be answered 431; its stream is open as any other.
    case oversizedRequest(HTTP2StreamID)
    /// Bytes of a request's body, or of a tunnel: at these offsets of what was received last.
    case data(Range<Int>, HTTP2StreamID)
    /// The client has said all that it will say on a stream that had a body.
    case end(HTTP2StreamID)
    /// A stream is over: nothing more comes of it, and nothing more can be said. `noError` where both sides were done.
    case closed(HTTP2StreamID, HTTP2ErrorCode)
    /// The client begins no further stream.
    case goAway(HTTP2ErrorCode)
    /// The connection is of no use any more: send what there is to be sent, then close it.
    case failed(HTTP2Failure)
}

/// Why a connection has ended: what the client is told, and a sentence's end for the log.
package struct HTTP2Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: HTTP2ErrorCode
    package let reason: String

    package init(_ code: HTTP2ErrorCode, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    package var description: String { "\(reason) (\(code))" }
}

/// A frame of a stream's body whose bytes its owner has.
package struct HTTP2DataFrame: Hashable, Sendable {
    package let stream: HTTP2StreamID
    /// How many of the stream's waiting bytes follow the header: 16 KiB at most, and none in a frame that only ends.
    package let byteCount: Int
    /// Whether the stream's body ends with them.
    package let isLast: Bool

    /// Bytes of a frame header.
    package static let headerByteCount = 9

    /// The header (RFC 9113 §4.1).
    package var header: InlineArray<9, UInt8> {
        let (length, stream) = (UInt32(byteCount), UInt32(bitPattern: stream))
        return [
            UInt8(truncatingIfNeeded: length >> 16), UInt8(truncatingIfNeeded: length >> 8),
            UInt8(truncatingIfNeeded: length), FrameType.data, isLast ? FrameType.endStream : 0,
            UInt8(truncatingIfNeeded: stream >> 24), UInt8(truncatingIfNeeded: stream >> 16),
            UInt8(truncatingIfNeeded: stream >> 8), UInt8(truncatingIfNeeded: stream),
        ]
    }
}

/// Types and flags of frames that are told apart here (RFC 9113 §6).
enum FrameType {
    static let data: UInt8 = 0x0
    static let headers: UInt8 = 0x1
    static let reset: UInt8 = 0x3
    static let windowUpdate: UInt8 = 0x8
    static let continuation: UInt8 = 0x9
    static let endStream: UInt8 = 0x1
}
