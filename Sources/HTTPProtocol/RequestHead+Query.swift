extension RequestHead {
    /// The query as it was sent, without the question mark; empty also when the target has none.
    package var rawQuery: String { bytes.string(layout.query) }

    /// All parameters in order, names and values percent-decoded, a plus sign being a space.
    package var queryItems: [(name: String, value: String)] {
        var items: [(name: String, value: String)] = []
        eachQueryItem { name, value in
            items.append((decoded(name), decoded(value)))
            return true
        }
        return items
    }

    /// The value of the first parameter called `name`, percent-decoded, a plus sign being a space. Empty for a name
    /// without a value, nil when there is no such parameter.
    package func query(_ name: String) -> String? {
        var found: String?
        eachQueryItem { item, value in
            guard PercentDecoding.equals(item, of: bytes, plusIsSpace: true, name) else { return true }
            found = decoded(value)
            return false
        }
        return found
    }

    private func decoded(_ range: Range<Int>) -> String {
        PercentDecoding.string(range, of: bytes, plusIsSpace: true)
    }

    /// Calls `body` with the places of each name and its value, until it returns false.
    private func eachQueryItem(_ body: (Range<Int>, Range<Int>) -> Bool) {
        var start = layout.query.lowerBound
        let end = layout.query.upperBound
        while start < end {
            let pairEnd = bytes.firstOffset(of: UInt8(ascii: "&"), in: start..<end) ?? end
            let nameEnd = bytes.firstOffset(of: UInt8(ascii: "="), in: start..<pairEnd) ?? pairEnd
            // Two ampersands have nothing between them, not a pair without a name.
            if start < pairEnd, !body(start..<nameEnd, min(nameEnd + 1, pairEnd)..<pairEnd) { return }
            start = pairEnd + 1
        }
    }
}
