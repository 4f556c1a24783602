package import HTTPTypes

/// Writes the heads of responses (RFC 9112 §4, §5), appending to a buffer of the caller's.
///
/// When a response cannot be sent nothing is appended. Costs one walk over the fields; allocates when the buffer grows.
package enum ResponseEncoder {
    /// The interim response that an `Expect: 100-continue` waits for (RFC 9110 §10.1.1).
    package static let continueLine = [UInt8]("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// Writes a response with its body, which is left out where there must be none: the head as below.
    package static func encode(
        status: HTTPResponse.Status, fields: HTTPFields, body: RawSpan, keepAlive: Bool, isHead: Bool,
        isHTTP11: Bool = true, date: String, into output: inout [UInt8]
    ) throws(UnsendableResponse) {
        try encode(
            status: status, fields: fields, framing: .length(body.byteCount), keepAlive: keepAlive, isHead: isHead,
            isHTTP11: isHTTP11, date: date, into: &output)
        if !isHead, status.allowsBody {
            // The pointer is read during the call only.
            unsafe body.withUnsafeBytes { unsafe output.append(contentsOf: $0) }
        }
    }

    /// Writes the head of a response whose body the caller sends behind it, unless the response must have none.
    ///
    /// - Parameters:
    ///   - fields: `Content-Length` and `Transfer-Encoding` among them are left out, and of `Connection` what speaks of
    ///     keeping it: the framing is what the server does. Other fields are kept, repeated ones too.
    ///   - framing: How the body ends; for HEAD, the body that GET would have been answered with. When its length is
    ///     not known (or zero), a `Content-Length` in `fields` stands.
    ///   - keepAlive: Whether the connection stays open behind the response.
    ///   - isHead: Whether the request's method was HEAD.
    ///   - isHTTP11: Whether the request was of HTTP/1.1. A client of HTTP/1.0 is told that the connection stays.
    ///   - date: The moment now, made by `HTTPDate`; not used when `fields` has a `Date`.
    package static func encode(
        status: HTTPResponse.Status, fields: HTTPFields, framing: ResponseFraming, keepAlive: Bool, isHead: Bool,
        isHTTP11: Bool = true, date: String, into output: inout [UInt8]
    ) throws(UnsendableResponse) {
        try appendWhole(into: &output) { output throws(UnsendableResponse) in
            // RFC 9110 §15.2: behind an interim response the client would go on waiting for the final one.
            guard status.code >= 200 else { throw .status(status.code) }
            if let count = framing.byteCount, count < 0 { throw .length(count) }
            output.appendStatusLine(status)
            try output.appendFields(fields, without: isFraming)
            if !fields.contains(.date) { try output.appendField("Date", date) }
            if let (name, value) = framingField(of: status, given: fields, framing, isHead: isHead) {
                try output.appendField(name, value)
            }
            let persistence = keepAlive ? (isHTTP11 ? nil : "keep-alive") : "close"
            if let connection = connection(given: fields, persistence: persistence) {
                try output.appendField("Connection", connection)
            }
            output.append(contentsOf: "\r\n".utf8)
        }
    }

    /// Whether the author of a response asked for the connection to end behind it.
    package static func asksToClose(_ fields: HTTPFields) -> Bool {
        connectionTokens(fields).contains { isToken($0, "close") }
    }

    /// Appends what `body` appends, or nothing when it throws.
    static func appendWhole(
        into output: inout [UInt8], _ body: (inout [UInt8]) throws(UnsendableResponse) -> Void
    ) throws(UnsendableResponse) {
        let start = output.count
        do throws(UnsendableResponse) {
            try body(&output)
        } catch {
            output.removeSubrange(start...)
            throw error
        }
    }

    private static func isFraming(_ name: HTTPField.Name) -> Bool {
        name == .contentLength || name == .transferEncoding || name == .connection
    }

    static func framingField(
        of status: HTTPResponse.Status, given fields: HTTPFields, _ framing: ResponseFraming, isHead: Bool
    ) -> (name: String, value: String)? {
        // RFC 9110 §8.6 forbids the field with 204; with 304 it would be the length of what is not sent.
        if status == .noContent || status == .notModified { return nil }
        guard status.allowsBody else { return ("Content-Length", "0") }
        let given = isHead && framing.byteCount ?? 0 == 0 ? length(in: fields) : nil
        switch framing {
        case .length(let count): return ("Content-Length", given ?? "\(count)")
        // RFC 9110 §9.3.2: HEAD is not told what is known only when the body is made.
        case .chunked where !isHead: return ("Transfer-Encoding", "chunked")
        case .chunked, .endOfConnection: return given.map { ("Content-Length", $0) }
        }
    }

    /// The `Content-Length` among the fields, if it is one.
    private static func length(in fields: HTTPFields) -> String? {
        guard let given = fields[.contentLength], !given.isEmpty, given.utf8.allSatisfy({ $0.decimalDigit != nil })
        else { return nil }
        return given
    }

    /// The one `Connection` field: options such as `Upgrade` from `fields`, and whether the connection stays.
    private static func connection(given fields: HTTPFields, persistence: String?) -> String? {
        var tokens = connectionTokens(fields).filter { !isToken($0, "close") && !isToken($0, "keep-alive") }
        if let persistence { tokens.append(Substring(persistence)) }
        return tokens.isEmpty ? nil : tokens.joined(separator: ", ")
    }

    private static func connectionTokens(_ fields: HTTPFields) -> [Substring] {
        guard let value = fields[.connection] else { return [] }
        return value.split { $0 == "," || $0 == " " || $0 == "\t" }
    }

    private static func isToken(_ token: Substring, _ lowercase: String) -> Bool {
        token.utf8.count == lowercase.utf8.count && token.lowercased() == lowercase
    }
}

extension HTTPResponse.Status {
    /// Whether a response with this status has a body (RFC 9110 §6.4.1 and, for 205, §15.3.6).
    package var allowsBody: Bool { self != .noContent && self != .resetContent && self != .notModified }
}

extension [UInt8] {
    /// `HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 §4).
    mutating func appendStatusLine(_ status: HTTPResponse.Status) {
        append(contentsOf: "HTTP/1.1 ".utf8)
        append(contentsOf: "\(status.code) ".utf8)
        append(contentsOf: status.standardReasonPhrase.utf8)
        append(contentsOf: "\r\n".utf8)
    }

    mutating func appendField(_ name: String, _ value: String) throws(UnsendableResponse) {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isToken) else { throw .field(name: name) }
        append(contentsOf: name.utf8)
        append(contentsOf: ": ".utf8)
        try appendValue(value, of: name)
    }

    /// The end of a field line, behind the colon and the blank.
    mutating func appendValue(_ value: String, of name: String) throws(UnsendableResponse) {
        guard !value.utf8.contains(where: \.isForbiddenControl) else { throw .field(name: name) }
        append(contentsOf: value.utf8)
        append(contentsOf: "\r\n".utf8)
    }

    mutating func appendFields(
        _ fields: HTTPFields, without isLeftOut: (HTTPField.Name) -> Bool = { _ in false }
    ) throws(UnsendableResponse) {
        for field in fields where !isLeftOut(field.name) { try appendField(field.name.rawName, field.value) }
    }

    /// The last fields of a head, and the empty line behind it.
    mutating func endHead(
        with fields: HTTPFields, without isLeftOut: (HTTPField.Name) -> Bool = { _ in false }
    ) throws(UnsendableResponse) {
        try appendFields(fields, without: isLeftOut)
        append(contentsOf: "\r\n".utf8)
    }
}
