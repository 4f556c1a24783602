/// What the handshake reads out of header values: comma lists and case-insensitive tokens (RFC 9110 §5.6).
enum FieldValue {
    /// The members of a comma list, without the white space around them; empty ones are skipped.
    static func members(of list: String) -> [Substring] {
        list.split(separator: ",").map(trimmed).filter { !$0.isEmpty }
    }

    /// Whether a comma list has `token` among its members. ASCII letters are equal in both cases.
    static func contains(_ list: String?, token: String) -> Bool {
        guard let list else { return false }
        return members(of: list).contains { equal($0, token) }
    }

    /// Whether two texts are the same but for the case of ASCII letters.
    static func equal(_ first: some StringProtocol, _ second: some StringProtocol) -> Bool {
        first.utf8.lazy.map(lowercased).elementsEqual(second.utf8.lazy.map(lowercased))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var rest = text
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A") <= byte && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
