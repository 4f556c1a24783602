/// What the handshake reads out of header values: comma lists and case-insensitive tokens (RFC 9110 §5.6).
///
/// It works on UTF-8, since to compare characters by their Unicode properties is neither asked for nor cheap.
enum FieldValue {
    /// The members of a comma list, without the white space around them; empty ones are skipped.
    static func members(of list: String) -> [Substring] {
        list.utf8.split(separator: UInt8(ascii: ",")).map { Substring(trimmed($0)) }.filter { !$0.isEmpty }
    }

    /// Whether a comma list has `token` among its members, whatever the case of ASCII letters.
    static func contains(_ list: String?, token: String) -> Bool {
        guard var rest = list?.utf8[...] else { return false }
        while let comma = rest.firstIndex(of: UInt8(ascii: ",")) {
            if equal(trimmed(rest[..<comma]), token.utf8) { return true }
            rest = rest[comma...].dropFirst()
        }
        return equal(trimmed(rest), token.utf8)
    }

    /// Whether two texts differ in nothing but the case of ASCII letters.
    static func equal(_ first: some Collection<UInt8>, _ second: some Collection<UInt8>) -> Bool {
        first.lazy.map(lowercased).elementsEqual(second.lazy.map(lowercased))
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var rest = text.drop(while: isWhitespace)
        while let last = rest.last, isWhitespace(last) { rest.removeLast() }
        return rest
    }

    /// `tchar` (RFC 9110 §5.6.2): what tokens are made of.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    static func isWhitespace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A") <= byte && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
