/// The four bytes a client's payload is masked with (RFC 6455 §5.3).
///
/// `rawValue` holds them as they lie in memory, so that they can be loaded, repeated and XORed without swapping: the
/// byte with the lowest address masks first. Any random 32 bits make a key.
public struct MaskingKey: RawRepresentable, Hashable, Sendable {
    /// The four bytes, as they lie in memory.
    public let rawValue: UInt32

    /// The key of any 32 bits; a client draws new ones for every frame (§5.3).
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The key for what follows `count` masked bytes.
    @inlinable public func advanced(by count: Int) -> MaskingKey {
        let shift = UInt32(truncatingIfNeeded: count & 3) &* 8
        // A rotation towards the lowest address; by 0 both shifts are by a multiple of the width, which the mask makes
        // 0.
        let ahead = UInt32(littleEndian: rawValue)
        return MaskingKey(rawValue: UInt32(littleEndian: ahead &>> shift | ahead &<< (32 &- shift)))
    }

    /// Copies `source` to `destination` and masks the copy, in one pass: what a client does with every payload it
    /// sends.
    ///
    /// Any alignment. Cost: memory speed.
    /// - Parameter destination: as many bytes as `source` has, which do not overlap it.
    package func mask(_ source: UnsafeRawBufferPointer, to destination: UnsafeMutableRawPointer) {
        guard let base = source.baseAddress else { return }
        _ = unsafe xor(base, into: destination, count: source.count)
    }
}

/// XORs the bytes of `range` with the key, in place. Masking and unmasking are one operation, its own inverse.
///
/// Tells whether the result is all ASCII. The loads and the XOR are what costs, so the answer is as good as free, and
/// it spares text a second pass to validate its UTF-8.
///
/// Any alignment; a payload that came in pieces goes on with `key.advanced(by:)`. Cost: memory speed.
@discardableResult
public func unmask(_ bytes: inout MutableRawSpan, in range: Range<Int>, key: MaskingKey) -> Bool {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.byteCount, "the range lies outside of the bytes")
    // Only the address is taken out of the closure, so that the loop is compiled into its caller. Safe: the span
    // outlives this call, the range was checked, and nothing outside of it is touched.
    guard let base = unsafe bytes.withUnsafeMutableBytes({ $0.baseAddress }) else { return true }
    let start = unsafe base + range.lowerBound
    return unsafe key.xor(start, into: start, count: range.count)
}

extension MaskingKey {
    /// Writes `count` bytes of `source`, XORed with the key, to `destination`, which may be `source` itself. Tells
    /// whether what it wrote is all ASCII; whoever does not ask does not pay for the answer, since this is inlined.
    ///
    /// 64 bytes at a time, then 16, then what is left. Every step but the last takes a multiple of four bytes, so that
    /// the key keeps its phase.
    /// Safe because every access at `offset` is of a width that `offset + width <= count` was checked for.
    @inline(__always)
    fileprivate func xor(_ source: UnsafeRawPointer, into destination: UnsafeMutableRawPointer, count: Int) -> Bool {
        let word = UInt64(rawValue) | UInt64(rawValue) << 32
        var seen: UInt64 = 0
        var offset = 0
        if count >= 64 {
            let mask = SIMD8<UInt64>(repeating: word)
            var seenBlocks = SIMD8<UInt64>.zero
            repeat {
                let block = unsafe source.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self) ^ mask
                unsafe destination.storeBytes(of: block, toByteOffset: offset, as: SIMD8<UInt64>.self)
                seenBlocks |= block
                offset &+= 64
            } while offset &+ 64 <= count
            seen = seenBlocks.union
        }
        while offset &+ 16 <= count {
            let mask = SIMD2<UInt64>(repeating: word)
            let sixteen = unsafe source.loadUnaligned(fromByteOffset: offset, as: SIMD2<UInt64>.self) ^ mask
            unsafe destination.storeBytes(of: sixteen, toByteOffset: offset, as: SIMD2<UInt64>.self)
            seen |= sixteen.x | sixteen.y
            offset &+= 16
        }
        if count & 8 != 0 {
            let eight = unsafe source.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ word
            unsafe destination.storeBytes(of: eight, toByteOffset: offset, as: UInt64.self)
            seen |= eight
            offset &+= 8
        }
        if count & 4 != 0 {
            let four = unsafe source.loadUnaligned(fromByteOffset: offset, as: UInt32.self) ^ rawValue
            unsafe destination.storeBytes(of: four, toByteOffset: offset, as: UInt32.self)
            seen |= UInt64(four)
            offset &+= 4
        }
        var rest = UInt32(littleEndian: rawValue)
        while offset < count {
            let one = unsafe source.load(fromByteOffset: offset, as: UInt8.self) ^ UInt8(truncatingIfNeeded: rest)
            unsafe destination.storeBytes(of: one, toByteOffset: offset, as: UInt8.self)
            seen |= UInt64(one)
            rest &>>= 8
            offset &+= 1
        }
        return seen & topBits == 0
    }
}
