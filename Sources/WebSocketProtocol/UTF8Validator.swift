/// Checks UTF-8 as it arrives, in pieces of any size, and says no at the first byte that cannot be right.
///
/// What is valid is the Unicode standard's table 3-7, which is RFC 3629's grammar: the shortest encodings of U+0000 to
/// U+10FFFF without the surrogates. Cost: ASCII at memory speed, anything else about two cycles a byte.
public struct UTF8Validator: Hashable, Sendable {
    private var state = UTF8Automaton.State.accept

    /// A validator at the beginning of a text.
    public init() {}

    /// Whether the bytes so far end between two characters. A text that ends otherwise is not valid.
    public var isComplete: Bool { state == .accept }

    /// Takes the next bytes, and tells whether all so far can be right.
    public mutating func consume(_ bytes: RawSpan) -> Bool {
        let rows = UTF8Automaton.rows.span
        var run = UTF8Automaton.Run(from: state)
        var offset = 0
        while offset &+ 8 <= bytes.byteCount {
            if run.state == .accept {
                let end = UTF8Validator.endOfASCII(in: bytes, from: offset)
                guard end == offset else {
                    offset = end
                    continue
                }
            }
            let word = UInt64(littleEndian: bytes.integer(at: offset, as: UInt64.self))
            for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
                run.step(UInt8(truncatingIfNeeded: word &>> shift), rows)
            }
            offset &+= 8
        }
        while offset < bytes.byteCount {
            run.step(bytes.byte(at: offset), rows)
            offset &+= 1
        }
        state = run.state
        return state != .reject
    }

    /// Whether `bytes` are a whole text.
    static func isValid(_ bytes: RawSpan) -> Bool {
        var validator = UTF8Validator()
        return validator.consume(bytes) && validator.isComplete
    }

    /// Skips ASCII: 64 bytes at a time, then 8.
    @inline(__always)
    private static func endOfASCII(in bytes: RawSpan, from offset: Int) -> Int {
        var offset = offset
        while offset &+ 64 <= bytes.byteCount, bytes.block(at: offset).union & topBits == 0 { offset &+= 64 }
        while offset &+ 8 <= bytes.byteCount, bytes.integer(at: offset, as: UInt64.self) & topBits == 0 { offset &+= 8 }
        return offset
    }
}
