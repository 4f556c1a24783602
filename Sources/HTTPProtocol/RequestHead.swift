package import HTTPTypes

/// A request head as a view over the bytes that were received: nothing is copied or decoded before it is asked for.
///
/// Lookups walk over the field lines each time; a head has at most a few kilobytes, and most are asked little.
package struct RequestHead: ~Escapable {
    package let bytes: RawSpan
    package let layout: RequestHeadLayout

    /// - Parameters:
    ///   - bytes: What the parser was given, from its first byte on; more may follow behind the head.
    ///   - layout: What the parser made of them.
    @_lifetime(copy bytes)
    package init(bytes: RawSpan, layout: RequestHeadLayout) {
        precondition(layout.byteCount <= bytes.byteCount, "the layout is of other bytes")
        self.bytes = bytes
        self.layout = layout
    }

    package var method: HTTPRequest.Method {
        // The parser has checked that it is a token.
        if bytes.equals(layout.method, "GET") { return .get }
        return HTTPRequest.Method(bytes.string(layout.method))!
    }

    /// The request target as it was sent.
    package var target: String { bytes.string(layout.target) }

    /// Whether the request is about the server as a whole: `OPTIONS *` (RFC 9112 §3.2.4).
    package var isAboutServer: Bool { layout.path.count == 1 && bytes[layout.path.lowerBound] == UInt8(ascii: "*") }

    /// The path as it was sent, without the query. `*` for a request about the server as a whole.
    package var rawPath: String { layout.path.isEmpty ? "/" : bytes.string(layout.path) }

    /// The path, percent-decoded. An escape that is malformed stays as it is; bytes that are not UTF-8 are replaced.
    /// A `%2F` becomes a slash like any other: who has to tell them apart reads `rawPath`.
    package var path: String {
        layout.path.isEmpty ? "/" : PercentDecoding.string(layout.path, of: bytes, plusIsSpace: false)
    }

    /// The host the request is for, with its port if one was given: from the target if it has one, else from `Host`
    /// (RFC 9112 §3.2.2).
    package var authority: String? {
        if !layout.authority.isEmpty { return bytes.string(layout.authority) }
        var lines = FieldLineCursor(layout)
        return lines.nextValue(of: "host", in: bytes).map { bytes.string($0) }
    }
}
