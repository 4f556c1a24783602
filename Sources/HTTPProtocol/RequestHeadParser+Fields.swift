/// Field lines: `name ":" OWS value OWS CRLF` (RFC 9112 §5).
extension RequestHeadParser {
    mutating func readFieldStart(_ bytes: RawSpan) throws(HTTPRefusal) {
        let byte = bytes[position]
        if byte == .carriageReturn { return begin(.headEnd, at: position + 1) }
        // RFC 9112 §5.2 and §2.2: folded lines, and blanks before the first field, are read differently by proxies.
        guard !byte.isBlank else { throw .malformed("a field line begins with a blank") }
        guard fieldCount < limits.fieldCount else { throw .tooManyFields }
        fieldCount += 1
        begin(.fieldName, at: position)
    }

    mutating func readFieldName(_ bytes: RawSpan) throws(HTTPRefusal) {
        position = bytes.endOfToken(from: position)
        fieldName = partStart..<position
        guard position < bytes.byteCount else { return }
        // RFC 9112 §5.1: a blank before the colon is refused too, and is no token.
        guard bytes[position] == UInt8(ascii: ":") else { throw .malformed("a field name is not a token") }
        guard !fieldName.isEmpty else { throw .malformed("a field has no name") }
        begin(.fieldValue, at: position + 1)
    }

    mutating func readFieldValue(_ bytes: RawSpan) throws(HTTPRefusal) {
        position = bytes.firstForbiddenControl(from: position)
        guard position < bytes.byteCount else { return }
        guard bytes[position] == .carriageReturn else { throw .malformed("a field value holds a control character") }
        // `partStart` stays where the value begins.
        stage = .fieldEnd
        position += 1
    }
}
