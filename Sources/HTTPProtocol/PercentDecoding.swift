/// Percent-decoding (RFC 3986 §2.1), and the plus sign of forms. A malformed escape stands for itself.
package enum PercentDecoding {
    /// The text, decoded; bytes that are not UTF-8 are repaired.
    package static func decoded(_ text: String) -> String {
        let bytes = [UInt8](text.utf8)
        return unsafe string(0..<bytes.count, of: bytes.span.bytes, plusIsSpace: false)
    }

    /// What the text stands for, in bytes that need not be UTF-8.
    package static func decodedBytes(_ text: String) -> [UInt8] {
        let bytes = [UInt8](text.utf8)
        var rest = bytes.indices
        var decoded: [UInt8] = []
        while let byte = nextByte(&rest, of: unsafe bytes.span.bytes, plusIsSpace: false) { decoded.append(byte) }
        return decoded
    }

    /// The text at `range`, decoded; bytes that are not UTF-8 are repaired.
    package static func string(_ range: Range<Int>, of bytes: RawSpan, plusIsSpace: Bool) -> String {
        let isPlain = range.allSatisfy {
            bytes[$0] != UInt8(ascii: "%") && !(plusIsSpace && bytes[$0] == UInt8(ascii: "+"))
        }
        if isPlain { return bytes.string(range) }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(range.count)
        var rest = range
        while let byte = nextByte(&rest, of: bytes, plusIsSpace: plusIsSpace) { decoded.append(byte) }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Whether the decoded bytes are those of `text`, without decoding them into memory.
    static func equals(_ range: Range<Int>, of bytes: RawSpan, plusIsSpace: Bool, _ text: String) -> Bool {
        var rest = range
        for expected in text.utf8 {
            guard nextByte(&rest, of: bytes, plusIsSpace: plusIsSpace) == expected else { return false }
        }
        return rest.isEmpty
    }

    /// Takes one decoded byte off the front of `rest`.
    static func nextByte(_ rest: inout Range<Int>, of bytes: RawSpan, plusIsSpace: Bool) -> UInt8? {
        guard let offset = rest.first else { return nil }
        let byte = bytes[offset]
        if byte == UInt8(ascii: "%"), rest.count >= 3, let high = bytes[offset + 1].hexadecimalDigit,
            let low = bytes[offset + 2].hexadecimalDigit
        {
            rest = (offset + 3)..<rest.upperBound
            return high << 4 | low
        }
        rest = (offset + 1)..<rest.upperBound
        return plusIsSpace && byte == UInt8(ascii: "+") ? .space : byte
    }
}
