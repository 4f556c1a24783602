/// One segment of a request's path, up to the next slash.
struct PathSegment {
    /// Where it lies, as it was sent.
    let range: Range<Int>
    /// Whether something in it may be percent-encoded. An encoded slash ends no segment.
    let isEscaped: Bool

    /// Finds the end of the segment that begins at `start`, eight bytes at a time.
    @inline(__always)
    init(from start: Int, before end: Int, in bytes: RawSpan) {
        var offset = start
        var isEscaped = false
        while offset < end {
            let word = bytes.paddedWord(at: offset)
            let length = min(firstByte(UInt8(ascii: "/"), in: word), end - offset)
            if firstByte(UInt8(ascii: "%"), in: word) < length { isEscaped = true }
            offset += length
            if length < 8 { break }
        }
        range = start..<offset
        self.isEscaped = isEscaped
    }
}

/// What a segment is looked up by: its length when decoded, and its first and last eight bytes, which are all of it up
/// to sixteen.
struct SegmentKey: Equatable, Sendable {
    var prefix: UInt64 = 0
    var suffix: UInt64 = 0
    var count = 0

    /// The most bytes that keys tell apart by themselves.
    static let coveredByteCount = 16

    /// The key of an empty segment.
    init() {}

    /// The key of bytes that stand for themselves.
    @inline(__always)
    init(plain range: Range<Int>, in bytes: RawSpan) {
        count = range.count
        if count >= 8 {
            prefix = bytes.paddedWord(at: range.lowerBound)
            suffix = bytes.paddedWord(at: range.upperBound - 8)
        } else if count > 0 {
            prefix = bytes.paddedWord(at: range.lowerBound) & (1 << UInt64(count * 8) &- 1)
        }
    }

    /// The key of what the bytes stand for.
    @inline(never)
    init(escaped range: Range<Int>, in bytes: RawSpan) {
        var rest = range
        while let byte = PercentDecoding.nextByte(&rest, of: bytes, plusIsSpace: false) {
            if count < 8 { prefix |= UInt64(byte) << UInt64(count * 8) }
            suffix = suffix >> 8 | UInt64(byte) << 56
            count += 1
        }
        if count < 8 { suffix = 0 }
    }

    @inline(__always)
    init(_ segment: PathSegment, in bytes: RawSpan) {
        if segment.isEscaped {
            self.init(escaped: segment.range, in: bytes)
        } else {
            self.init(plain: segment.range, in: bytes)
        }
    }

    /// A number that spreads keys below different parents over a table.
    @inline(__always)
    func hash(below parent: Int32) -> UInt64 {
        var hash = prefix ^ (suffix &* 0x9E37_79B9_7F4A_7C15)
        hash ^= UInt64(truncatingIfNeeded: count) << 32 | UInt64(UInt32(bitPattern: parent))
        hash = (hash ^ hash >> 32) &* 0xD6E8_FEB8_6659_FD93
        return hash ^ hash >> 32
    }
}

extension RawSpan {
    /// The eight bytes from `offset` on, the first one lowest; those behind the span's end are zero.
    @inline(__always)
    fileprivate func paddedWord(at offset: Int) -> UInt64 {
        byteCount - offset >= 8 ? word(at: offset) : shortWord(at: offset)
    }

    @inline(never)
    private func shortWord(at offset: Int) -> UInt64 {
        (offset..<byteCount).reversed().reduce(0) { $0 << 8 | UInt64(self[$1]) }
    }
}
