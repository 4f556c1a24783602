/// The forms of a request target (RFC 9112 §3.2).
extension RequestHeadLayout {
    /// Divides `target` into authority, path and query.
    mutating func divideTarget(in bytes: RawSpan) throws(HTTPRefusal) {
        guard let first = target.first else { throw .malformed("there is no target") }
        switch bytes[first] {
        case UInt8(ascii: "/"):
            dividePath(from: first, in: bytes)
        case UInt8(ascii: "*"):
            // §3.2.4: the server as a whole.
            guard target.count == 1, bytes.equals(method, "OPTIONS") else {
                throw .malformed("the target * is for OPTIONS alone")
            }
            path = target
        default:
            try divideAbsoluteForm(in: bytes)
        }
    }

    /// §3.2.2: `scheme "://" authority path-abempty [ "?" query ]`.
    private mutating func divideAbsoluteForm(in bytes: RawSpan) throws(HTTPRefusal) {
        guard let start = authorityStart(in: bytes) else { throw .malformed("the target has an unknown form") }
        var end = start
        while end < target.upperBound, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") {
            end += 1
        }
        guard start < end else { throw .malformed("the target has no authority") }
        // RFC 9110 §4.2.4: names and passwords in front of the host, which are no part of it, only serve to deceive.
        guard bytes.isHostAndPort(start..<end) else { throw .malformed("the target's authority is malformed") }
        authority = start..<end
        dividePath(from: end, in: bytes)
    }

    private func authorityStart(in bytes: RawSpan) -> Int? {
        for scheme in ["http://", "https://"] where scheme.utf8.count <= target.count {
            let end = target.lowerBound + scheme.utf8.count
            if bytes.equals(target.lowerBound..<end, ignoringCase: scheme) { return end }
        }
        return nil
    }

    private mutating func dividePath(from start: Int, in bytes: RawSpan) {
        if let mark = bytes.firstOffset(of: UInt8(ascii: "?"), in: start..<target.upperBound) {
            path = start..<mark
            query = (mark + 1)..<target.upperBound
        } else {
            path = start..<target.upperBound
        }
    }
}
