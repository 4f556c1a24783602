/// What a message carries in its first 16 bytes: who sent it, which of its messages it is, and when it was to be sent.
///
/// Written with the characters from `0` to `o`, six bits each, so that it can stand in texts too.
package struct Stamp: Equatable, Sendable {
    package static let byteCount = 16
    package static let senders = 1 << 20
    /// Sequence numbers run from 0 and begin again here.
    package static let sequences: UInt32 = 1 << 28

    /// The sender's number, below `senders`.
    package var sender: UInt32
    /// The message's number, below `sequences`.
    package var sequence: UInt32
    /// When the message was to be sent, in nanoseconds since the load began; there is room for three days.
    package var time: UInt64

    @inline(__always)
    package init(sender: UInt32, sequence: UInt32, time: UInt64) {
        self.sender = sender
        self.sequence = sequence
        self.time = time
    }

    /// The two words as they stand in the payload, first byte lowest.
    package var words: (UInt64, UInt64) {
        (Self.spread(UInt64(sender) << 28 | UInt64(sequence)), Self.spread(time & 0xFFFF_FFFF_FFFF))
    }

    /// The stamp that two words of a payload hold; nil where they hold none.
    @inline(__always)
    package init?(words first: UInt64, _ second: UInt64) {
        guard let number = Self.packed(first), let time = Self.packed(second) else { return nil }
        sender = UInt32(truncatingIfNeeded: number >> 28)
        sequence = UInt32(truncatingIfNeeded: number) & (Self.sequences - 1)
        self.time = time
    }

    /// 48 bits as 8 characters of 6 bits.
    @inline(__always)
    static func spread(_ bits: UInt64) -> UInt64 {
        var word = (bits & 0xFFFF_FF) | (bits & 0xFFFF_FF00_0000) << 8
        word = (word & 0x0000_0FFF_0000_0FFF) | (word & 0x00FF_F000_00FF_F000) << 4
        word = (word & 0x003F_003F_003F_003F) | (word & 0x0FC0_0FC0_0FC0_0FC0) << 2
        return word &+ 0x3030_3030_3030_3030
    }

    /// The 48 bits of 8 characters; nil where one of them is no stamp's.
    @inline(__always)
    static func packed(_ characters: UInt64) -> UInt64? {
        let word = characters &- 0x3030_3030_3030_3030
        // A borrow, or a character beyond `o`, leaves one of these bits.
        guard word & 0xC0C0_C0C0_C0C0_C0C0 == 0 else { return nil }
        var bits = (word & 0x003F_003F_003F_003F) | (word & 0x3F00_3F00_3F00_3F00) >> 2
        bits = (bits & 0x0000_0FFF_0000_0FFF) | (bits & 0x0FFF_0000_0FFF_0000) >> 4
        return (bits & 0xFFFF_FF) | (bits & 0x00FF_FFFF_0000_0000) >> 8
    }
}

extension RawSpan {
    /// The stamp at the beginning of a payload; nil if there is none.
    package var stamp: Stamp? {
        guard byteCount >= Stamp.byteCount else { return nil }
        let first = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt64.self)
        let second = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: 8, as: UInt64.self)
        return Stamp(words: UInt64(littleEndian: first), UInt64(littleEndian: second))
    }
}
