/// The request line: `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3).
extension RequestHeadParser {
    /// More bytes than any method has: the longest that is registered is `UPDATEREDIRECTREF`.
    static let maximumMethodLength = 32

    mutating func readEmptyLine(_ bytes: RawSpan) throws(HTTPRefusal) {
        guard bytes[position] == .carriageReturn else { return begin(.method, at: position) }
        guard emptyLineCount < Self.maximumEmptyLines else { throw .malformed("empty lines before the request") }
        emptyLineCount += 1
        begin(.emptyLineEnd, at: position + 1)
    }

    mutating func readMethod(_ bytes: RawSpan) throws(HTTPRefusal) {
        position = bytes.endOfToken(from: position)
        layout.method = partStart..<position
        guard layout.method.count <= Self.maximumMethodLength else { throw .unknownMethod }
        guard position < bytes.byteCount else { return }
        guard bytes[position] == .space else { throw .malformed("the method is not a token") }
        if layout.method.isEmpty { throw .malformed("there is no method") }
        if bytes.equals(layout.method, "CONNECT") { throw .malformed("this server is not a proxy") }
        layout.isHead = bytes.equals(layout.method, "HEAD")
        begin(.target, at: position + 1)
    }

    mutating func readTarget(_ bytes: RawSpan) throws(HTTPRefusal) {
        position = bytes.endOfTarget(from: position)
        layout.target = partStart..<position
        guard layout.target.count <= limits.targetBytes else { throw .targetTooLong }
        guard position < bytes.byteCount else { return }
        guard bytes[position] == .space else { throw .malformed("the target holds a forbidden character") }
        try layout.divideTarget(in: bytes)
        begin(.version, at: position + 1)
    }

    /// RFC 9112 §2.3: `HTTP/` digit `.` digit, in capital letters only.
    mutating func readVersion(_ bytes: RawSpan) throws(HTTPRefusal) {
        while position < bytes.byteCount {
            let byte = bytes[position]
            let isExpected =
                switch position - partStart {
                case 0: byte == UInt8(ascii: "H")
                case 1, 2: byte == UInt8(ascii: "T")
                case 3: byte == UInt8(ascii: "P")
                case 4: byte == UInt8(ascii: "/")
                case 5, 7: byte.decimalDigit != nil
                case 6: byte == UInt8(ascii: ".")
                default: byte == .carriageReturn
                }
            guard isExpected else { throw .malformed("the HTTP version is malformed") }
            position += 1
            if byte == .carriageReturn { return try endVersion(bytes) }
        }
    }

    private mutating func endVersion(_ bytes: RawSpan) throws(HTTPRefusal) {
        let version = partStart..<(position - 1)
        layout.isHTTP11 = bytes.equals(version, "HTTP/1.1")
        guard layout.isHTTP11 || bytes.equals(version, "HTTP/1.0") else { throw .unknownVersion }
        begin(.requestLineEnd, at: position)
    }
}
