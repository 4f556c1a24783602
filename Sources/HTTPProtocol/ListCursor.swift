/// Walks over the elements of a comma-separated field value (RFC 9110 §5.6.1), the empty ones too.
struct ListCursor {
    private var position: Int
    private let end: Int
    private var isAtEnd = false

    init(_ value: Range<Int>) {
        position = value.lowerBound
        end = value.upperBound
    }

    /// The next element without the blanks around it.
    mutating func next(in bytes: RawSpan) -> Range<Int>? {
        guard !isAtEnd else { return nil }
        let start = position
        if let comma = bytes.firstOffset(of: UInt8(ascii: ","), in: start..<end) {
            position = comma + 1
            return bytes.trimmed(start..<comma)
        }
        isAtEnd = true
        return bytes.trimmed(start..<end)
    }
}
