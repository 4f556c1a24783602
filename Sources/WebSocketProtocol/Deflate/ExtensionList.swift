/// The value of `Sec-WebSocket-Extensions`: a comma list of names with parameters (RFC 6455 §9.1).
struct ExtensionList {
    typealias Parameter = (name: String, value: String?)

    struct Element {
        let name: String
        let parameters: [Parameter]
    }

    let elements: [Element]

    /// Fails where the text breaks the grammar. Empty members of the list are skipped (RFC 9110 §5.6.1.2).
    init?(_ text: String) {
        var cursor = Cursor(rest: text.utf8[...])
        var elements: [Element] = []
        while true {
            cursor.skipWhitespace()
            if cursor.skip(",") { continue }
            if cursor.isAtEnd { break }
            guard let element = cursor.takeElement(), cursor.isAtEnd || cursor.skip(",") else { return nil }
            elements.append(element)
        }
        self.elements = elements
    }

    private struct Cursor {
        var rest: Substring.UTF8View

        var isAtEnd: Bool { rest.isEmpty }

        mutating func takeElement() -> Element? {
            guard let name = takeToken() else { return nil }
            var parameters: [Parameter] = []
            skipWhitespace()
            while skip(";") {
                skipWhitespace()
                guard let name = takeToken() else { return nil }
                skipWhitespace()
                var value: String?
                if skip("=") {
                    skipWhitespace()
                    value = rest.first == UInt8(ascii: "\"") ? takeQuoted() : takeToken()
                    if value == nil { return nil }
                    skipWhitespace()
                }
                parameters.append((name, value))
            }
            return Element(name: name, parameters: parameters)
        }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard let first = rest.first, first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func skipWhitespace() {
            while let byte = rest.first, FieldValue.isWhitespace(byte) { rest.removeFirst() }
        }

        private mutating func takeToken() -> String? {
            let token = rest.prefix(while: FieldValue.isToken)
            guard !token.isEmpty else { return nil }
            rest = rest[token.endIndex...]
            return String(Substring(token))
        }

        /// A quoted value, which has to be a token once it is unescaped (RFC 6455 §9.1).
        private mutating func takeQuoted() -> String? {
            rest.removeFirst()
            var value: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\"") { return value.isEmpty ? nil : String(decoding: value, as: UTF8.self) }
                guard let literal = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte, FieldValue.isToken(literal)
                else { return nil }
                value.append(literal)
            }
            return nil
        }
    }
}
