extension RequestHead {
    /// The value of the first cookie called `name`, nil when there is none; names differ by case. It is given as it was
    /// sent, without the quotes that may be around it (RFC 6265 §4.1.1).
    package func cookie(_ name: String) -> String? {
        var lines = FieldLineCursor(layout)
        while let line = lines.nextValue(of: "cookie", in: bytes) {
            if let value = cookie(name, in: line) { return bytes.string(value) }
        }
        return nil
    }

    private func cookie(_ name: String, in line: Range<Int>) -> Range<Int>? {
        var start = line.lowerBound
        while start < line.upperBound {
            let end = bytes.firstOffset(of: UInt8(ascii: ";"), in: start..<line.upperBound) ?? line.upperBound
            if let equals = bytes.firstOffset(of: UInt8(ascii: "="), in: start..<end),
                bytes.equals(bytes.trimmed(start..<equals), name)
            {
                return unquoted(bytes.trimmed((equals + 1)..<end))
            }
            start = end + 1
        }
        return nil
    }

    private func unquoted(_ value: Range<Int>) -> Range<Int> {
        let quote = UInt8(ascii: "\"")
        guard value.count >= 2, bytes[value.lowerBound] == quote, bytes[value.upperBound - 1] == quote else {
            return value
        }
        return (value.lowerBound + 1)..<(value.upperBound - 1)
    }
}
