/// Checks UTF-8 as it arrives, in pieces of any size, and says no at the first byte that cannot be right.
///
/// What is valid is the Unicode standard's table 3-7, which is RFC 3629's grammar: the shortest encodings of U+0000 to
/// U+10FFFF without the surrogates. Cost: ASCII at memory speed, other text one step per character.
public struct UTF8Validator: Hashable, Sendable {
    /// Continuation bytes that the character under way still needs.
    private var missing: UInt8 = 0
    /// The bounds of the next continuation byte: narrower than 80...BF after some lead bytes. Crossed after an error, so
    /// that nothing fits between them any more.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    public init() {}

    /// Whether the bytes so far end between two characters. A text that ends otherwise is not valid.
    public var isComplete: Bool { missing == 0 }

    private var hasFailed: Bool { lowest > highest }

    /// Takes the next bytes. False as soon as one is wrong, and from then on.
    public mutating func consume(_ bytes: RawSpan) -> Bool {
        var offset = 0
        while missing > 0, offset < bytes.byteCount {
            guard step(bytes.byte(at: offset)) else { return false }
            offset &+= 1
        }
        guard missing == 0 else { return !hasFailed }
        offset = UTF8Validator.endOfWholeCharacters(in: bytes, from: offset)
        // What the fast loop left is the end of the bytes, or the sequence that is wrong.
        while offset < bytes.byteCount {
            guard step(bytes.byte(at: offset)) else { return false }
            offset &+= 1
        }
        return true
    }

    /// Whether `bytes` are valid and complete by themselves.
    static func isValid(_ bytes: RawSpan) -> Bool {
        var validator = UTF8Validator()
        return validator.consume(bytes) && validator.isComplete
    }

    private mutating func step(_ byte: UInt8) -> Bool {
        guard missing == 0 else {
            guard lowest <= byte, byte <= highest else { return fail() }
            return expect(missing - 1)
        }
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: return expect(1)
        case 0xE0: return expect(2, in: 0xA0...0xBF)
        case 0xED: return expect(2, in: 0x80...0x9F)
        case 0xE1...0xEF: return expect(2)
        case 0xF0: return expect(3, in: 0x90...0xBF)
        case 0xF1...0xF3: return expect(3)
        case 0xF4: return expect(3, in: 0x80...0x8F)
        default: return fail()
        }
    }

    private mutating func expect(_ count: UInt8, in range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
        missing = count
        lowest = range.lowerBound
        highest = range.upperBound
        return true
    }

    private mutating func fail() -> Bool {
        missing = 1
        lowest = 0xFF
        highest = 0x00
        return false
    }
}
