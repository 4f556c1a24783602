/// Reads JSON (RFC 8259), as far as results need it: strings are taken as they stand, but for their escapes.
package struct JSONParser {
    private let bytes: [UInt8]
    private var position = 0
    /// Deeper than this is not read.
    private static let deepest = 64

    /// nil if the text is not one JSON value.
    package static func parse(_ text: String) -> JSON? {
        var parser = JSONParser(bytes: Array(text.utf8))
        guard let value = parser.value(depth: 0) else { return nil }
        parser.skipSpace()
        return parser.position == parser.bytes.count ? value : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func value(depth: Int) -> JSON? {
        skipSpace()
        guard depth < Self.deepest, position < bytes.count else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "t"): return word("true", .bool(true))
        case UInt8(ascii: "f"): return word("false", .bool(false))
        case UInt8(ascii: "n"): return word("null", .null)
        default: return number()
        }
    }

    private mutating func object(depth: Int) -> JSON? {
        var members: [JSON.Member] = []
        let complete = list(until: "}") { parser in
            parser.skipSpace()
            guard let name = parser.string(), parser.take(":"), let value = parser.value(depth: depth + 1) else {
                return false
            }
            members.append(JSON.Member(name, value))
            return true
        }
        return complete ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> JSON? {
        var values: [JSON] = []
        let complete = list(until: "]") { parser in
            guard let value = parser.value(depth: depth + 1) else { return false }
            values.append(value)
            return true
        }
        return complete ? .array(values) : nil
    }

    /// What stands between brackets and commas.
    private mutating func list(until end: Unicode.Scalar, element: (inout JSONParser) -> Bool) -> Bool {
        position += 1
        if take(end) { return true }
        repeat {
            guard element(&self) else { return false }
        } while take(",")
        return take(end)
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var text: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            if bytes[position] == UInt8(ascii: "\\") {
                guard let character = escape() else { return nil }
                text += Array(String(character).utf8)
            } else {
                text.append(bytes[position])
                position += 1
            }
        }
        return take("\"") ? String(decoding: text, as: UTF8.self) : nil
    }

    private mutating func escape() -> Character? {
        guard position + 1 < bytes.count else { return nil }
        defer { position += 2 }
        switch Unicode.Scalar(bytes[position + 1]) {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "u":
            guard position + 6 <= bytes.count else { return nil }
            let code = UInt32(String(decoding: bytes[position + 2..<position + 6], as: UTF8.self), radix: 16)
            position += 4
            return code.flatMap(Unicode.Scalar.init).map(Character.init)
        case let other: return "\"\\/".unicodeScalars.contains(other) ? Character(other) : nil
        }
    }

    private mutating func number() -> JSON? {
        let digits = bytes[position...].prefix { "+-.0123456789eE".utf8.contains($0) }
        position += digits.count
        return Double(String(decoding: digits, as: UTF8.self)).map { .number($0) }
    }

    private mutating func word(_ word: String, _ value: JSON) -> JSON? {
        guard bytes[position...].starts(with: word.utf8) else { return nil }
        position += word.utf8.count
        return value
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, " \t\r\n".utf8.contains(bytes[position]) { position += 1 }
    }
}
