package import Ringcast

/// Header fields as they are typed: `--header "Name: value"`, `--cookie name=value`, `--token TOKEN`.
package enum RequestFields {
    /// - Throws: a sentence that says which one cannot be sent, and why.
    package static func parse(headers: [String], cookies: [String], token: String?) throws(LoadFailure) -> HTTPFields {
        var fields = HTTPFields()
        for header in headers { fields.append(try field(header)) }
        if let token {
            guard fields[.authorization] == nil else {
                throw LoadFailure("--token and --header \"Authorization: …\" are the same header: give one of them")
            }
            guard isToken(token) else {
                throw LoadFailure("--token is letters, digits and -._~+/ with = at the end only (RFC 6750 §2.1)")
            }
            fields[.authorization] = "Bearer \(token)"
        }
        var pairs = fields[.cookie].map { [$0] } ?? []
        for cookie in cookies { pairs.append(try pair(cookie)) }
        // One header for all cookies (RFC 6265 §5.4); set by its name it would be split.
        fields[.cookie] = nil
        if !pairs.isEmpty { fields.append(HTTPField(name: .cookie, value: pairs.joined(separator: "; "))) }
        return fields
    }

    private static func field(_ text: String) throws(LoadFailure) -> HTTPField {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let name = HTTPField.Name(String(parts[0])) else {
            throw LoadFailure("--header \"\(readable(text))\" is no header: write it as \"Name: value\"")
        }
        if let owner = owner(of: name) {
            throw LoadFailure("--header \"\(name.rawName)\" cannot be set: \(owner)")
        }
        let value = trimmed(parts[1])
        guard HTTPField.isValidValue(value) else {
            throw LoadFailure(
                "--header \"\(name.rawName)\" has a value that cannot be sent: it may hold no line break and no "
                    + "control character")
        }
        return HTTPField(name: name, value: value)
    }

    private static func trimmed(_ value: Substring) -> String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        let rest = value.drop(while: isBlank)
        return rest.lastIndex { !isBlank($0) }.map { String(rest[...$0]) } ?? ""
    }

    /// The reason why users may not set a header; nil for those that they may.
    private static func owner(of name: HTTPField.Name) -> String? {
        switch name.canonicalName {
        case "sec-websocket-protocol": "subprotocols are asked for with `ringcast connect --subprotocol`"
        case "sec-websocket-extensions": "--compress offers permessage-deflate"
        case "upgrade", "connection": "it belongs to the handshake"
        case "content-length", "transfer-encoding": "the request has no body"
        case let other where other.hasPrefix("sec-websocket-"): "it belongs to the handshake"
        default: nil
        }
    }

    /// A cookie's name and value. Many cookies do not keep RFC 6265 §4.1.1: refused is only what would end the pair or
    /// the header.
    private static func pair(_ text: String) throws(LoadFailure) -> String {
        let name = text.prefix { $0 != "=" }
        guard name.count < text.count, HTTPField.Name(String(name)) != nil, HTTPField.isValidValue(text),
            !text.contains(";")
        else { throw LoadFailure("--cookie \"\(readable(text))\" is no cookie: write it as name=value, one at a time") }
        return text
    }

    /// Whether the text is a b64token (RFC 6750 §2.1).
    private static func isToken(_ text: String) -> Bool {
        let body = text.utf8.reversed().drop { $0 == UInt8(ascii: "=") }
        return !body.isEmpty
            && body.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~+/".utf8.contains(byte)
                }
            }
    }

    /// What was typed, on one line, and cut to 60 characters.
    private static func readable(_ text: String) -> String {
        String(text.prefix(60).map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 0x20 } ? " " : $0 })
            + (text.count > 60 ? "…" : "")
    }
}
