extension RequestHead {
    /// The query as it was sent, without the question mark; empty also when the target has none.
    package var rawQuery: String { bytes.string(layout.query) }

    /// The value of the first parameter called `name`, percent-decoded, a plus sign being a space. Empty for a name
    /// without a value, nil when there is no such parameter.
    package func query(_ name: String) -> String? {
        var start = layout.query.lowerBound
        let end = layout.query.upperBound
        while start < end {
            let pairEnd = bytes.firstOffset(of: UInt8(ascii: "&"), in: start..<end) ?? end
            let nameEnd = bytes.firstOffset(of: UInt8(ascii: "="), in: start..<pairEnd) ?? pairEnd
            // Two ampersands have nothing between them, not a pair without a name.
            if start < pairEnd, PercentDecoding.equals(start..<nameEnd, of: bytes, plusIsSpace: true, name) {
                let value = min(nameEnd + 1, pairEnd)..<pairEnd
                return PercentDecoding.string(value, of: bytes, plusIsSpace: true)
            }
            start = pairEnd + 1
        }
        return nil
    }
}
