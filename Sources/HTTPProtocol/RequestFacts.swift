/// What the fields of a request say about its framing and its connection, noted while they are parsed.
struct RequestFacts: Sendable {
    private var contentLength: Int?
    private var transferEncoding: TransferEncoding?
    private var hasHost = false
    private var saysClose = false
    private var saysKeepAlive = false
    private var saysUpgrade = false
    private var namesWebSocket = false
    private var expectsContinue = false
    private var hasUnknownExpectation = false

    private enum TransferEncoding { case chunked, unknown }

    /// Takes note of one field line. Names are told apart by their length first: most fields cost one comparison.
    mutating func note(name: Range<Int>, value: Range<Int>, in bytes: RawSpan) throws(HTTPRefusal) {
        switch name.count {
        case 4 where bytes.equals(name, ignoringCase: "host"):
            try noteHost(bytes.trimmed(value), in: bytes)
        case 6 where bytes.equals(name, ignoringCase: "expect"):
            noteExpectation(bytes.trimmed(value), in: bytes)
        case 7 where bytes.equals(name, ignoringCase: "upgrade"):
            noteUpgrade(value, in: bytes)
        case 10 where bytes.equals(name, ignoringCase: "connection"):
            noteConnection(value, in: bytes)
        case 14 where bytes.equals(name, ignoringCase: "content-length"):
            try noteContentLength(value, in: bytes)
        case 17 where bytes.equals(name, ignoringCase: "transfer-encoding"):
            try noteTransferEncoding(value, in: bytes)
        default:
            break
        }
    }

    /// Judges the fields together, and writes what follows from them into `layout`.
    func settle(
        _ layout: inout RequestHeadLayout, limits: RequestLimits, bodyFollows: Bool
    ) throws(HTTPRefusal) {
        // RFC 9112 §3.2: HTTP/1.1 must name the host; an empty name is legal.
        guard hasHost || !layout.isHTTP11 else { throw .malformed("there is no Host") }
        layout.body = try bodyFraming(isHTTP11: layout.isHTTP11, limits: limits, bodyFollows: bodyFollows)
        guard !hasUnknownExpectation else { throw .unknownExpectation }
        // RFC 9112 §9.3: HTTP/1.1 stays unless it is told otherwise, HTTP/1.0 goes.
        layout.keepsAlive = !saysClose && (layout.isHTTP11 || saysKeepAlive)
        layout.requestsUpgrade = saysUpgrade
        layout.namesWebSocket = namesWebSocket
        layout.expectsContinue = expectsContinue && layout.isHTTP11 && layout.body != .none
    }

    /// How the body ends. What proxies could frame in two ways is refused (RFC 9112 §6.1, §6.3).
    private func bodyFraming(
        isHTTP11: Bool, limits: RequestLimits, bodyFollows: Bool
    ) throws(HTTPRefusal) -> BodyFraming {
        if let transferEncoding {
            guard contentLength == nil else { throw .malformed("Content-Length with Transfer-Encoding") }
            guard isHTTP11 else { throw .malformed("Transfer-Encoding on HTTP/1.0") }
            guard transferEncoding == .chunked else { throw .unknownTransferCoding }
            return .chunked
        }
        guard let contentLength else { return bodyFollows ? .untilEnd : .none }
        guard contentLength > 0 else { return .none }
        guard contentLength <= limits.bodyBytes else { throw .bodyTooLarge }
        return .length(contentLength)
    }

    private mutating func noteHost(_ value: Range<Int>, in bytes: RawSpan) throws(HTTPRefusal) {
        guard !hasHost else { throw .malformed("there are two Hosts") }
        // RFC 9112 §3.2: the value is empty where the target's URI has no authority.
        guard value.isEmpty || bytes.isHostAndPort(value) else { throw .malformed("the Host is malformed") }
        hasHost = true
    }

    /// RFC 9110 §10.1.1: `100-continue` is the only expectation there is.
    private mutating func noteExpectation(_ value: Range<Int>, in bytes: RawSpan) {
        if bytes.equals(value, ignoringCase: "100-continue") {
            expectsContinue = true
        } else {
            hasUnknownExpectation = true
        }
    }

    /// RFC 9110 §7.6.1: a list of options, of which three matter here.
    private mutating func noteConnection(_ value: Range<Int>, in bytes: RawSpan) {
        var list = ListCursor(value)
        while let token = list.next(in: bytes) {
            if bytes.equals(token, ignoringCase: "close") {
                saysClose = true
            } else if bytes.equals(token, ignoringCase: "keep-alive") {
                saysKeepAlive = true
            } else if bytes.equals(token, ignoringCase: "upgrade") {
                saysUpgrade = true
            }
        }
    }

    /// RFC 9110 §7.8: a list of protocols, whose names differ by more than case nowhere.
    private mutating func noteUpgrade(_ value: Range<Int>, in bytes: RawSpan) {
        var list = ListCursor(value)
        while let name = list.next(in: bytes) {
            if bytes.equals(name, ignoringCase: "websocket") { namesWebSocket = true }
        }
    }

    /// RFC 9110 §8.6: digits and nothing else; a length may be repeated, but not contradicted.
    private mutating func noteContentLength(_ value: Range<Int>, in bytes: RawSpan) throws(HTTPRefusal) {
        var list = ListCursor(value)
        while let element = list.next(in: bytes) {
            guard let length = decimal(element, in: bytes) else { throw .malformed("Content-Length is no number") }
            guard contentLength == nil || contentLength == length else {
                throw .malformed("there are two Content-Lengths")
            }
            contentLength = length
        }
    }

    /// The number, nil if it is none; one beyond `Int.max` is given as that, which is over every limit.
    private func decimal(_ range: Range<Int>, in bytes: RawSpan) -> Int? {
        guard !range.isEmpty else { return nil }
        var number = 0
        for offset in range {
            guard let digit = bytes[offset].decimalDigit else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(digit)
            number = overflow || carry ? Int.max : sum
        }
        return number
    }

    /// RFC 9112 §6.1, §7: `chunked` once and alone. Codings that are merely unknown are told from broken ones.
    private mutating func noteTransferEncoding(_ value: Range<Int>, in bytes: RawSpan) throws(HTTPRefusal) {
        var list = ListCursor(value)
        while let coding = list.next(in: bytes) {
            guard transferEncoding != .chunked else { throw .malformed("a transfer coding behind chunked") }
            guard !coding.isEmpty, coding.allSatisfy({ bytes[$0].isToken }) else {
                throw .malformed("the transfer coding is malformed")
            }
            let isChunked = bytes.equals(coding, ignoringCase: "chunked") && transferEncoding == nil
            transferEncoding = isChunked ? .chunked : .unknown
        }
    }
}
