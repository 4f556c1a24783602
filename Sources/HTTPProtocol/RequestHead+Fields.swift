package import HTTPTypes

extension RequestHead {
    /// The value of a field, nil when it is not there. Several lines are joined with a comma, or a semicolon for
    /// `Cookie` (RFC 9110 §5.3, RFC 6265 §5.4).
    package func header(_ name: HTTPField.Name) -> String? {
        var lines = FieldLineCursor(layout)
        guard let first = lines.nextValue(of: name.canonicalName, in: bytes) else { return nil }
        var value = bytes.string(first)
        while let next = lines.nextValue(of: name.canonicalName, in: bytes) {
            value += name == .cookie ? "; " : ", "
            value += bytes.string(next)
        }
        return value
    }

    /// The values of a field, one for each of its lines, in order.
    package func headers(_ name: HTTPField.Name) -> [String] {
        var values: [String] = []
        var lines = FieldLineCursor(layout)
        while let value = lines.nextValue(of: name.canonicalName, in: bytes) {
            values.append(bytes.string(value))
        }
        return values
    }

    /// Whether the field is there, without making a string of it.
    package func hasHeader(_ name: HTTPField.Name) -> Bool {
        var lines = FieldLineCursor(layout)
        return lines.nextValue(of: name.canonicalName, in: bytes) != nil
    }

    /// All fields, copied.
    package var fields: HTTPFields {
        var fields = HTTPFields()
        var lines = FieldLineCursor(layout)
        while let line = lines.next(in: bytes) {
            // The parser has checked that the name is a token.
            let name = HTTPField.Name(bytes.string(line.name))!
            fields.append(HTTPField(name: name, value: bytes.string(line.value)))
        }
        return fields
    }
}
