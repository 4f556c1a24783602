extension MaskingKey {
    /// Copies `source` to `destination` and masks the copy (RFC 6455 §5.3), in one pass: what a client does with every
    /// payload it sends. Masking bytes where they lie is `unmask(_:in:key:)`, which is its own inverse.
    ///
    /// Any alignment. Cost: memory speed.
    /// - Parameter destination: as many bytes as `source` has, which do not overlap it.
    package func mask(_ source: UnsafeRawBufferPointer, to destination: UnsafeMutableRawPointer) {
        guard let base = source.baseAddress else { return }
        // Safe: every access at `offset` is of a width that `offset + width <= count` was checked for, and the caller
        // gives room for `count` bytes.
        unsafe copy(from: base, to: destination, count: source.count)
    }

    /// 64 bytes at a time, then 16, then what is left. Every step but the last takes a multiple of four bytes, so that
    /// the key keeps its phase.
    @inline(__always)
    private func copy(from base: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, count: Int) {
        let word = UInt64(rawValue) | UInt64(rawValue) << 32
        var offset = 0
        if count >= 64 {
            let mask = SIMD8<UInt64>(repeating: word)
            repeat {
                let block = unsafe base.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self) ^ mask
                unsafe destination.storeBytes(of: block, toByteOffset: offset, as: SIMD8<UInt64>.self)
                offset &+= 64
            } while offset &+ 64 <= count
        }
        while offset &+ 16 <= count {
            let mask = SIMD2<UInt64>(repeating: word)
            let sixteen = unsafe base.loadUnaligned(fromByteOffset: offset, as: SIMD2<UInt64>.self) ^ mask
            unsafe destination.storeBytes(of: sixteen, toByteOffset: offset, as: SIMD2<UInt64>.self)
            offset &+= 16
        }
        if count & 8 != 0 {
            let eight = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ word
            unsafe destination.storeBytes(of: eight, toByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        if count & 4 != 0 {
            let four = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt32.self) ^ rawValue
            unsafe destination.storeBytes(of: four, toByteOffset: offset, as: UInt32.self)
            offset &+= 4
        }
        var rest = UInt32(littleEndian: rawValue)
        while offset < count {
            let one = unsafe base.load(fromByteOffset: offset, as: UInt8.self) ^ UInt8(truncatingIfNeeded: rest)
            unsafe destination.storeBytes(of: one, toByteOffset: offset, as: UInt8.self)
            rest &>>= 8
            offset &+= 1
        }
    }
}
