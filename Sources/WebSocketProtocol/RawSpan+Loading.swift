// Loads that the standard library calls unsafe because of types that not every bit pattern is valid for. Integers and
// vectors of integers take any bits, and the span itself traps outside its bounds: here they are safe.

extension RawSpan {
    /// The byte at `offset`.
    @inline(__always) func byte(at offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    /// The integer that lies at `offset`, at any alignment, in the machine's byte order.
    @inline(__always) func integer<I: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: I.Type) -> I {
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type)
    }

    /// The 64 bytes at `offset`, at any alignment.
    @inline(__always) func block(at offset: Int) -> SIMD8<UInt64> {
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
    }
}

/// The top bit of each of eight bytes: none is set in ASCII.
let topBits: UInt64 = 0x8080_8080_8080_8080

extension SIMD8<UInt64> {
    /// All words ORed into one.
    @inline(__always) var union: UInt64 {
        let four = lowHalf | highHalf
        let two = four.lowHalf | four.highHalf
        return two.x | two.y
    }
}
