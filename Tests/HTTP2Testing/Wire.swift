internal import CNghttp2
package import HTTP2Protocol

/// Frames as a client writes them, byte by byte as RFC 9113 §4 and §6 have them: nothing of nghttp2, so that a client
/// can also break the rules.
package struct Frames {
    package enum Kind: UInt8 {
        case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
        case unknown = 0xEE
    }

    package static let preface = [UInt8]("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// What every client says first: its preface, and SETTINGS of its defaults.
    package static let hello = preface + frame(.settings)

    package static func frame(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let length = UInt32(payload.count)
        let header = [UInt8(length >> 16), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), kind.rawValue, flags]
        return header + word(stream) + payload
    }

    package static func word(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)]
    }

    package static func setting(_ name: UInt16, _ value: UInt32) -> [UInt8] {
        [UInt8(name >> 8), UInt8(name & 0xFF)] + word(value)
    }

    /// HPACK's plainest form (RFC 7541 §6.2.2): literals that neither side remembers.
    package static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0x00] + text($0) + text($1) }
    }

    /// A string literal (§5.2), not Huffman-coded; of any length.
    package static func text(_ string: String) -> [UInt8] {
        var (bytes, rest) = ([UInt8](), string.utf8.count)
        guard rest >= 127 else { return [UInt8(rest)] + string.utf8 }
        bytes.append(127)
        rest -= 127
        while rest >= 128 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return bytes + [UInt8(rest)] + string.utf8
    }

    package static let get = [
        (":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", "/x?y=1"),
    ]
    package static let post = [(":method", "POST")] + get.dropFirst()
    package static let webSocket = [(":method", "CONNECT"), (":protocol", "websocket")] + get.dropFirst()

    /// A request in one HEADERS frame.
    package static func request(
        _ stream: UInt32, _ fields: [(String, String)] = get, hasBody: Bool = false
    ) -> [UInt8] {
        frame(.headers, flags: 0x4 | (hasBody ? 0 : 0x1), stream: stream, block(fields))
    }

    package static func data(_ stream: UInt32, _ text: String, isLast: Bool = false) -> [UInt8] {
        frame(.data, flags: isLast ? 1 : 0, stream: stream, [UInt8](text.utf8))
    }

    package static func data(_ stream: UInt32, _ bytes: [UInt8], isLast: Bool = false) -> [UInt8] {
        frame(.data, flags: isLast ? 1 : 0, stream: stream, bytes)
    }

    package static func reset(_ stream: UInt32, _ code: UInt32 = 8) -> [UInt8] {
        frame(.reset, stream: stream, word(code))
    }

    package static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> [UInt8] {
        frame(.windowUpdate, stream: stream, word(increment))
    }
}

/// A frame that the server has sent.
package struct SentFrame: Equatable {
    package let kind: UInt8
    package let flags: UInt8
    package let stream: UInt32
    package let payload: [UInt8]

    package init(kind: UInt8, flags: UInt8, stream: UInt32, payload: [UInt8]) {
        (self.kind, self.flags, self.stream, self.payload) = (kind, flags, stream, payload)
    }

    /// The error code of a RST_STREAM or GOAWAY.
    package var code: HTTP2ErrorCode {
        let bytes = payload.dropFirst(kind == Frames.Kind.goAway.rawValue ? 4 : 0).prefix(4)
        return HTTP2ErrorCode(rawValue: bytes.reduce(0) { $0 << 8 | UInt32($1) })
    }

    package var errorCode: UInt32 { code.rawValue }

    package static func all(in bytes: [UInt8]) -> [SentFrame] {
        var bytes = bytes
        return takeWhole(from: &bytes)
    }

    /// Takes the frames that have come whole from the beginning of what has come.
    package static func takeWhole(from bytes: inout [UInt8]) -> [SentFrame] {
        var (frames, position) = ([SentFrame](), 0)
        defer { bytes.removeFirst(position) }
        while position + 9 <= bytes.count {
            let header = bytes[position..<position + 9].map { UInt32($0) }
            let length = Int(header[0] << 16 | header[1] << 8 | header[2])
            guard position + 9 + length <= bytes.count else { break }
            frames.append(
                SentFrame(
                    kind: UInt8(header[3]), flags: UInt8(header[4]),
                    stream: header[5] << 24 | header[6] << 16 | header[7] << 8 | header[8],
                    payload: Array(bytes[position + 9..<position + 9 + length])))
            position += 9 + length
        }
        return frames
    }
}

/// Reads header blocks of a server: nghttp2's decoder, since the server's encoder remembers and uses Huffman codes.
@safe package final class BlockReader {
    private let inflater: OpaquePointer

    package init() {
        var inflater: OpaquePointer?
        precondition(unsafe nghttp2_hd_inflate_new(&inflater) == 0)
        unsafe self.inflater = inflater!
    }

    deinit { unsafe nghttp2_hd_inflate_del(inflater) }

    package func read(_ block: [UInt8]) -> [String] {
        var (fields, position) = ([String](), 0)
        while true {
            var (field, flags) = (unsafe nghttp2_nv(), Int32(0))
            let count = unsafe block[position...].withUnsafeBufferPointer {
                unsafe nghttp2_hd_inflate_hd2(inflater, &field, &flags, $0.baseAddress, $0.count, 1)
            }
            precondition(count >= 0, "no header block")
            position += count
            if UInt32(flags) & NGHTTP2_HD_INFLATE_EMIT.rawValue != 0 {
                let name = unsafe UnsafeRawBufferPointer(start: field.name, count: field.namelen)
                let value = unsafe UnsafeRawBufferPointer(start: field.value, count: field.valuelen)
                fields.append(
                    unsafe "\(String(decoding: name, as: UTF8.self)): \(String(decoding: value, as: UTF8.self))")
            }
            if UInt32(flags) & NGHTTP2_HD_INFLATE_FINAL.rawValue != 0 {
                unsafe nghttp2_hd_inflate_end_headers(inflater)
                return fields
            }
        }
    }
}
