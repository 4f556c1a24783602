internal import FoundationEssentials

/// JSON as the tool writes and reads it. The format itself is Foundation's; no library of this package needs it.
package enum JSON {
    /// A value on one line, with its keys in alphabetical order. It can be shown in a terminal: characters of strings
    /// that steer one, or turn the order of others, are escaped, not only those for which JSON asks that.
    /// - Throws: an `EncodingError` for numbers that are not finite; `figure` leaves such out.
    package static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return escapingSteering(in: String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Outside of its strings JSON has none of these.
    private static func escapingSteering(in json: String) -> String {
        guard json.unicodeScalars.contains(where: \.steers) else { return json }
        var text = ""
        for scalar in json.unicodeScalars {
            guard scalar.steers else {
                text.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return text
    }

    /// - Throws: what is wrong with the text, and at which key, as the rest of a sentence that begins with its name.
    package static func value<Value: Decodable>(_ type: Value.Type, in text: String) throws(LoadFailure) -> Value {
        do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
            throw LoadFailure((error as? DecodingError)?.complaint ?? "is not JSON")
        }
    }

    /// A number rounded to what a measurement is worth; nil, which is written as null, where there is none.
    package static func figure(_ value: Double?, digits: Int = 3) -> Double? {
        value.flatMap { $0.isFinite ? Units.rounded($0, digits) : nil }
    }

    /// A key of an object, by its name.
    package struct Key: CodingKey, ExpressibleByStringLiteral {
        package let stringValue: String
        package var intValue: Int? { nil }

        package init(stringValue: String) { self.stringValue = stringValue }
        package init(stringLiteral: String) { stringValue = stringLiteral }
        package init?(intValue: Int) { nil }
    }

    /// A value that is no array and no object: what a load's parameters are, each of its own kind.
    package enum Scalar: Codable, Equatable, Sendable {
        case null
        case flag(Bool)
        case number(Double)
        case text(String)

        package init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .null
            } else if let flag = try? value.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try value.decode(String.self))
            }
        }

        package func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .null: try value.encodeNil()
            case .flag(let flag): try value.encode(flag)
            case .number(let number): try value.encode(number)
            case .text(let text): try value.encode(text)
            }
        }
    }
}

extension Unicode.Scalar {
    fileprivate var steers: Bool {
        guard value >= 0x7F else { return false }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return false
        }
    }
}

extension DecodingError {
    /// What is wrong, as the rest of a sentence: "has no 'summary'".
    fileprivate var complaint: String {
        switch self {
        case .keyNotFound(let key, let context): "has no '\(Self.path(context.codingPath + [key]))'"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            context.codingPath.isEmpty
                ? "is no JSON object"
                : "has a '\(Self.path(context.codingPath))' that is no \(Self.name(of: type))"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "is not JSON" : "has a '\(Self.path(context.codingPath))' that cannot be read"
        @unknown default: "is not JSON"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String { keys.map(\.stringValue).joined(separator: ".") }

    private static func name(of type: Any.Type) -> String {
        type == Double.self ? "number" : type == String.self ? "text" : "object"
    }
}
