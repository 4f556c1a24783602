/// XORs the bytes of `range` with the key, in place (RFC 6455 §5.3). Masking and unmasking are the same.
///
/// Tells whether the result is all ASCII. The loads and the XOR are what costs, so the answer is as good as free, and
/// it spares text a second pass to validate its UTF-8.
///
/// Any alignment; a payload that came in pieces goes on with `key.advanced(by:)`. Cost: memory speed.
@discardableResult
public func unmask(_ bytes: inout MutableRawSpan, in range: Range<Int>, key: MaskingKey) -> Bool {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.byteCount, "the range lies outside of the bytes")
    // Only the address is taken out of the closure, so that the loop below is compiled into its caller. Safe: the span
    // outlives this call, the range was checked, and nothing outside of it is touched.
    guard let base = unsafe bytes.withUnsafeMutableBytes({ $0.baseAddress }) else { return true }
    return unsafe unmask(base + range.lowerBound, count: range.count, key: key.rawValue)
}

/// The loop over raw memory: 64 bytes at a time, then 16, then what is left.
///
/// Every step but the last one takes a multiple of four bytes, so that the key keeps its phase.
/// Safe because every access at `offset` is of a width that `offset + width <= count` was checked for.
@inline(__always)
private func unmask(_ base: UnsafeMutableRawPointer, count: Int, key: UInt32) -> Bool {
    let word = UInt64(key) | UInt64(key) << 32
    var seen: UInt64 = 0
    var offset = 0
    if count >= 64 {
        let mask = SIMD8<UInt64>(repeating: word)
        var seenBlocks = SIMD8<UInt64>.zero
        repeat {
            let block = unsafe base.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self) ^ mask
            unsafe base.storeBytes(of: block, toByteOffset: offset, as: SIMD8<UInt64>.self)
            seenBlocks |= block
            offset &+= 64
        } while offset &+ 64 <= count
        seen = seenBlocks.union
    }
    while offset &+ 16 <= count {
        let mask = SIMD2<UInt64>(repeating: word)
        let sixteen = unsafe base.loadUnaligned(fromByteOffset: offset, as: SIMD2<UInt64>.self) ^ mask
        unsafe base.storeBytes(of: sixteen, toByteOffset: offset, as: SIMD2<UInt64>.self)
        seen |= sixteen.x | sixteen.y
        offset &+= 16
    }
    if count & 8 != 0 {
        let eight = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ word
        unsafe base.storeBytes(of: eight, toByteOffset: offset, as: UInt64.self)
        seen |= eight
        offset &+= 8
    }
    if count & 4 != 0 {
        let four = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt32.self) ^ key
        unsafe base.storeBytes(of: four, toByteOffset: offset, as: UInt32.self)
        seen |= UInt64(four)
        offset &+= 4
    }
    var key = MaskingKey(rawValue: key)
    while offset < count {
        let one = unsafe base.load(fromByteOffset: offset, as: UInt8.self) ^ key.firstByte
        unsafe base.storeBytes(of: one, toByteOffset: offset, as: UInt8.self)
        seen |= UInt64(one)
        key = key.advanced(by: 1)
        offset &+= 1
    }
    return seen & topBits == 0
}

extension MaskingKey {
    /// The byte that masks next.
    @inline(__always) fileprivate var firstByte: UInt8 { UInt8(truncatingIfNeeded: UInt32(littleEndian: rawValue)) }
}
