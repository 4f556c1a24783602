// Looking at eight bytes at a time.

extension RawSpan {
    /// The eight bytes from `offset` on, the first one lowest.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        // A UInt64 has no invalid bit patterns, and the load checks its bounds.
        UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

/// The top bit of each byte of `word` that is `byte`. Bits above the lowest one set may be wrong, since a subtraction
/// borrows only out of a byte that is a hit itself.
@inline(__always)
func topBits(of byte: UInt8, in word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let difference = word ^ (ones &* UInt64(byte))
    return (difference &- ones) & ~difference & 0x8080_8080_8080_8080
}

/// The place of the first such byte in a word, 0 for the lowest; 8 where there is none.
@inline(__always)
func firstByte(_ byte: UInt8, in word: UInt64) -> Int { topBits(of: byte, in: word).trailingZeroBitCount / 8 }
