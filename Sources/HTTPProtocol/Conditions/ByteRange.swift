/// What `Range` asks for (RFC 9110 §14.1.2): one range of bytes. Others (several ranges, other units) are not served in
/// parts here, which leaves the field without effect.
package enum ByteRange: Hashable, Sendable {
    /// `bytes=5-9`, `bytes=5-`: from an offset up to one, both included.
    case from(Int, through: Int)
    /// `bytes=-5`: so many bytes at the end.
    case last(Int)

    /// Nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].lowercased() == "bytes" else { return nil }
        // A list may have empty elements (RFC 9110 §5.6.1).
        let ranges = parts[1].split(separator: ",").map(Self.trimmed).filter { !$0.isEmpty }
        guard ranges.count == 1, let range = ranges.first else { return nil }
        let ends = range.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2 else { return nil }
        switch (Self.number(ends[0]), Self.number(ends[1])) {
        case (let first?, let last?) where first <= last: self = .from(first, through: last)
        case (let first?, nil) where ends[1].isEmpty: self = .from(first, through: .max)
        case (nil, let count?) where ends[0].isEmpty: self = .last(count)
        default: return nil
        }
    }

    /// The offsets it means in a body of so many bytes; nil if there is none of them.
    package func offsets(in byteCount: Int) -> Range<Int>? {
        switch self {
        case .from(let first, let last):
            first < byteCount ? first..<(last < byteCount ? last + 1 : byteCount) : nil
        case .last(let count):
            count > 0 && byteCount > 0 ? max(0, byteCount - count)..<byteCount : nil
        }
    }

    /// Digits and nothing else. A number beyond `Int.max` is given as that: it is behind every end.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0.decimalDigit != nil }) else { return nil }
        return Int(text) ?? .max
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var rest = text.drop { $0 == " " || $0 == "\t" }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }
}
