extension UTF8Validator {
    /// Goes over whole characters as long as four bytes can be looked at, and returns where it stopped: fewer than four
    /// bytes before the end, or at a sequence that is wrong. `offset` lies between two characters, and so does the result.
    static func endOfWholeCharacters(in bytes: RawSpan, from offset: Int) -> Int {
        var offset = offset
        while offset &+ 4 <= bytes.byteCount {
            // The first byte of the sequence is the lowest of the word.
            let word = UInt32(littleEndian: bytes.integer(at: offset, as: UInt32.self))
            let nonASCII = word & 0x8080_8080
            if nonASCII == 0 {
                offset = endOfASCIIBlocks(in: bytes, from: offset &+ 4)
            } else if word & 0x80 == 0 {
                offset &+= nonASCII.trailingZeroBitCount &>> 3
            } else {
                let length = characterLength(word)
                guard length > 0 else { return offset }
                offset &+= length
            }
        }
        return offset
    }

    /// Skips blocks of ASCII: 64 bytes at a time, then 8.
    @inline(__always)
    private static func endOfASCIIBlocks(in bytes: RawSpan, from offset: Int) -> Int {
        var offset = offset
        while offset &+ 64 <= bytes.byteCount, bytes.block(at: offset).union & topBits == 0 { offset &+= 64 }
        while offset &+ 8 <= bytes.byteCount, bytes.integer(at: offset, as: UInt64.self) & topBits == 0 { offset &+= 8 }
        return offset
    }

    /// The length of the multibyte sequence at the low end of `word`, 0 when it is wrong.
    ///
    /// Each test compares the marker bits of all bytes of the sequence at once; what is left to exclude are overlong forms,
    /// surrogates and what lies beyond U+10FFFF.
    @inline(__always)
    private static func characterLength(_ word: UInt32) -> Int {
        if word & 0x0000_C0E0 == 0x0000_80C0 {
            // C0 and C1 would encode ASCII.
            return word & 0x1E == 0 ? 0 : 2
        }
        if word & 0x00C0_C0F0 == 0x0080_80E0 {
            // The top five of the sixteen bits: 00000 is overlong, 11011 a surrogate.
            let top = word & 0x200F
            return top == 0 || top == 0x200D ? 0 : 3
        }
        if word & 0xC0C0_C0F8 == 0x8080_80F0 {
            // Plane 0 is overlong, Unicode has planes up to 16.
            let plane = (word & 0x07) &<< 2 | (word &>> 12) & 0x03
            return plane &- 1 < 16 ? 4 : 0
        }
        return 0
    }
}
