package import HTTPTypes

/// Heads of answers on streams of HTTP/2: lists of fields instead of lines (RFC 9113 §8.2), by the same rules.
extension ResponseEncoder {
    /// A field of such a list; its name is in lower case.
    package typealias ListedField = (name: String, value: String)

    /// The fields of a response, without its status. Its end is that of the stream, so that no field has to say it.
    /// - Parameters: as those of `encode`.
    package static func list(
        status: HTTPResponse.Status, fields: HTTPFields, framing: ResponseFraming, isHead: Bool, date: String
    ) throws(UnsendableResponse) -> [ListedField] {
        guard status.code >= 200 else { throw .status(status.code) }
        if let count = framing.byteCount, count < 0 { throw .length(count) }
        var list = try listed(fields) { isOfConnection($0) || $0 == .contentLength }
        if !fields.contains(.date) { list.append(("date", date)) }
        let framing = framing == .chunked ? .endOfConnection : framing
        if let (name, value) = framingField(of: status, given: fields, framing, isHead: isHead) {
            list.append((name.lowercased(), value))
        }
        return list
    }

    /// The fields of the answer that makes a WebSocket of a stream (RFC 8441 §5).
    /// - Parameters: as those of `encodeSwitchingProtocols`.
    package static func listAcceptance(
        subprotocol: String?, extensions: String?, fields: HTTPFields, date: String
    ) throws(UnsendableResponse) -> [ListedField] {
        var list = try listed(fields) { belongsToHandshake($0) || isOfConnection($0) }
        if !fields.contains(.date) { list.append(("date", date)) }
        if let subprotocol { list.append(try checked("sec-websocket-protocol", subprotocol)) }
        if let extensions { list.append(try checked("sec-websocket-extensions", extensions)) }
        return list
    }

    private static func listed(
        _ fields: HTTPFields, without isLeftOut: (HTTPField.Name) -> Bool
    ) throws(UnsendableResponse) -> [ListedField] {
        var list: [ListedField] = []
        for field in fields where !isLeftOut(field.name) {
            list.append(try checked(field.name.canonicalName, field.value))
        }
        return list
    }

    private static func checked(_ name: String, _ value: String) throws(UnsendableResponse) -> ListedField {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isToken), !value.utf8.contains(where: \.isForbiddenControl) else {
            throw .field(name: name)
        }
        return (name, value)
    }

    /// Whether a field speaks of a connection of HTTP/1.1: on a stream it would make the answer malformed (RFC 9113
    /// §8.2.2).
    private static func isOfConnection(_ name: HTTPField.Name) -> Bool {
        switch name.canonicalName {
        case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade": true
        default: false
        }
    }
}
