extension RawSpan {
    /// The byte at `offset`, checked against the bounds.
    @inline(__always)
    subscript(offset: Int) -> UInt8 {
        // Every bit pattern is a UInt8, a byte is always aligned, and the load checks its bounds.
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The bytes as text; what is not UTF-8 is replaced. Allocates for more than 15 bytes.
    func string(_ range: Range<Int>) -> String {
        // The pointer is read during the call only, and `extracting` has checked the range.
        unsafe extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// Whether the bytes are exactly `text`.
    func equals(_ range: Range<Int>, _ text: String) -> Bool { equals(range, text) { $0 } }

    /// Whether the bytes are `text`, which has to be given in lower case, but for the case of their letters.
    func equals(_ range: Range<Int>, ignoringCase text: String) -> Bool { equals(range, text) { $0.lowercasedASCII } }

    @inline(__always)
    private func equals(_ range: Range<Int>, _ text: String, by fold: (UInt8) -> UInt8) -> Bool {
        guard range.count == text.utf8.count else { return false }
        var offset = range.lowerBound
        for byte in text.utf8 {
            guard fold(self[offset]) == byte else { return false }
            offset += 1
        }
        return true
    }

    func firstOffset(of byte: UInt8, in range: Range<Int>) -> Int? {
        var offset = range.lowerBound
        while range.upperBound - offset >= 8 {
            let place = firstByte(byte, in: word(at: offset))
            if place < 8 { return offset + place }
            offset += 8
        }
        while offset < range.upperBound, self[offset] != byte { offset += 1 }
        return offset < range.upperBound ? offset : nil
    }

    /// The offset of the first byte at or behind `start` that no token holds; `byteCount` when there is none.
    func endOfToken(from start: Int) -> Int { end(from: start) { $0.isToken } }

    /// The offset of the first byte at or behind `start` that no target holds; `byteCount` when there is none.
    func endOfTarget(from start: Int) -> Int { end(from: start) { $0.isTarget } }

    @inline(__always)
    private func end(from start: Int, of belongs: (UInt8) -> Bool) -> Int {
        var offset = start
        while offset < byteCount, belongs(self[offset]) { offset += 1 }
        return offset
    }

    /// The range without the spaces and tabs around it.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, self[lower].isBlank { lower += 1 }
        while lower < upper, self[upper - 1].isBlank { upper -= 1 }
        return lower..<upper
    }

    /// The offset of the first control character, tabs excepted, at or behind `start`; `byteCount` when there is none.
    ///
    /// It validates a field value and finds its end in one walk, eight bytes at a time.
    func firstForbiddenControl(from start: Int) -> Int {
        var offset = start
        while byteCount - offset >= 8 {
            let hits = controlBits(of: word(at: offset))
            guard hits != 0 else {
                offset += 8
                continue
            }
            offset += hits.trailingZeroBitCount / 8
            if self[offset] != .horizontalTab { return offset }
            offset += 1
        }
        while offset < byteCount, !self[offset].isForbiddenControl { offset += 1 }
        return offset
    }
}

/// The top bit of each byte of `word` that is below 0x20 or equal to 0x7F. Bits above the lowest one set may be wrong,
/// since a subtraction borrows only out of a byte that is a hit itself.
@inline(__always)
private func controlBits(of word: UInt64) -> UInt64 {
    let belowSpace = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
    return belowSpace | topBits(of: 0x7F, in: word)
}
