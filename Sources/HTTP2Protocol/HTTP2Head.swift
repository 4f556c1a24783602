/// A request's head in the form of HTTP/1.1, so that there is one reader of heads, with one set of limits and refusals.
///
/// nghttp2 has checked names, values and their order (RFC 9113 §8.2, §8.3); none of what HTTP/1.1 adds for its
/// connections can come from a client.
package struct HTTP2Head: Hashable, Sendable {
    /// Request line, `Host`, fields, empty line. A WebSocket's extended CONNECT (RFC 8441 §4) is a GET that asks for an
    /// upgrade, without a key.
    package let bytes: [UInt8]
    /// The `:scheme`, `http` or `https`; empty for a CONNECT that is not an extended one.
    package let scheme: String
    /// The `:protocol` of an extended CONNECT; nil for all other requests. Only `websocket` has the form of a GET.
    package let connectProtocol: String?

    /// The protocol of extended CONNECTs that are WebSockets.
    package static let webSocket = "websocket"
}

/// A head while its fields come.
struct HeadCollector {
    let stream: HTTP2StreamID
    /// Whether it comes behind a body: then it is read and thrown away.
    let isTrailer: Bool
    private let limit: Int
    /// Its size as RFC 9113 §6.5.2 counts.
    private(set) var byteCount = 0
    private var method: [UInt8] = []
    private var scheme: [UInt8] = []
    private var authority: [UInt8]?
    private var path: [UInt8] = []
    private var connectProtocol: [UInt8]?
    private var host: [UInt8]?
    /// Field lines of HTTP/1.1.
    private var lines: [UInt8] = []

    init(stream: HTTP2StreamID, isTrailer: Bool, limit: Int) {
        self.stream = stream
        self.isTrailer = isTrailer
        self.limit = limit
    }

    var isOversized: Bool { byteCount > limit }

    /// Takes a field. What is over the limit is counted only.
    mutating func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        byteCount += name.count + value.count + 32
        guard !isOversized, !isTrailer else { return }
        let text = unsafe [UInt8](value)
        switch unsafe String(decoding: name, as: UTF8.self) {
        case ":method": method = text
        case ":scheme": scheme = text
        case ":authority": authority = text
        case ":path": path = text
        case ":protocol": connectProtocol = text
        case "host" where host == nil: host = text
        default:
            unsafe lines.append(contentsOf: name)
            lines += ": ".utf8
            lines += text
            lines += "\r\n".utf8
        }
    }

    /// The whole head; nil if it is malformed.
    func makeHead() -> HTTP2Head? {
        // RFC 9113 §8.3.1: who names two hosts deceives somebody. Case means nothing in them.
        if let authority, let host, !Self.isSameHost(authority, host) { return nil }
        let isWebSocket = connectProtocol == Array(HTTP2Head.webSocket.utf8)
        let isPlainConnect = method == Array("CONNECT".utf8) && connectProtocol == nil
        guard isPlainConnect || scheme == Array("http".utf8) || scheme == Array("https".utf8) else { return nil }
        let target = isPlainConnect ? authority ?? [] : path
        // Nothing that could end the request line, or the first field line, early.
        let parts = [method, target, authority ?? [], host ?? []]
        guard parts.allSatisfy({ $0.allSatisfy { $0 > 0x20 && $0 != 0x7F } }) else { return nil }
        var bytes = isWebSocket ? Array("GET".utf8) : method
        bytes.reserveCapacity(lines.count + target.count + 128)
        bytes += " ".utf8
        bytes += target
        bytes += " HTTP/1.1\r\n".utf8
        if let name = authority ?? host {
            bytes += "host: ".utf8
            bytes += name
            bytes += "\r\n".utf8
        }
        if isWebSocket { bytes += "connection: upgrade\r\nupgrade: websocket\r\n".utf8 }
        bytes += lines
        bytes += "\r\n".utf8
        return HTTP2Head(
            bytes: bytes, scheme: String(decoding: scheme, as: UTF8.self),
            connectProtocol: connectProtocol.map { String(decoding: $0, as: UTF8.self) })
    }

    private static func isSameHost(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }
}
