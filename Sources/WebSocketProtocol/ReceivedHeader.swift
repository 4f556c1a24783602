/// The header of a frame that arrived (RFC 6455 §5.2), read but not yet judged.
struct ReceivedHeader {
    var start: HeaderStart
    var payloadLength: UInt64
    /// The masking key; zero when the frame is not masked.
    var mask: MaskingKey

    /// Reads the header at `offset`. The caller has seen to it that all its bytes are there.
    init(_ bytes: RawSpan, at offset: Int) {
        start = HeaderStart(bytes, at: offset)
        switch start.lengthByte {
        case 126: payloadLength = UInt64(UInt16(bigEndian: bytes.integer(at: offset &+ 2, as: UInt16.self)))
        case 127: payloadLength = UInt64(bigEndian: bytes.integer(at: offset &+ 2, as: UInt64.self))
        case let short: payloadLength = UInt64(short)
        }
        let keyOffset = offset &+ start.headerLength &- 4
        mask = MaskingKey(rawValue: start.isMasked ? bytes.integer(at: keyOffset, as: UInt32.self) : 0)
    }

    /// Whether no shorter encoding of the length would have done.
    var isLengthMinimal: Bool {
        switch start.lengthByte {
        case 126: payloadLength > 125
        case 127: payloadLength > 0xFFFF
        default: true
        }
    }
}

/// The first two bytes of a header: everything but the value of a long length and the masking key.
struct HeaderStart {
    static let length = 2

    private let first: UInt8
    private let second: UInt8

    @inline(__always) init(_ bytes: RawSpan, at offset: Int) {
        first = bytes.byte(at: offset)
        second = bytes.byte(at: offset &+ 1)
    }

    var isFinal: Bool { first & 0x80 != 0 }
    var isCompressed: Bool { first & 0x40 != 0 }
    /// RSV2 or RSV3: no extension that Ringcast knows gives them a meaning.
    var hasReservedBits: Bool { first & 0x30 != 0 }
    /// The opcode; nil for a reserved one.
    var opcode: Opcode? { Opcode(rawValue: first & 0x0F) }
    var isMasked: Bool { second & 0x80 != 0 }
    /// The length itself up to 125; 126 and 127 announce two or eight bytes of length.
    var lengthByte: UInt8 { second & 0x7F }

    /// Bytes of the whole header.
    var headerLength: Int {
        let extended =
            switch lengthByte {
            case 126: 2
            case 127: 8
            default: 0
            }
        return 2 &+ extended &+ (isMasked ? 4 : 0)
    }
}

/// The bytes of a header that is not all there yet, kept inline.
struct PartialHeader {
    private var storage = InlineArray<14, UInt8>(repeating: 0)
    private var count: UInt8 = 0

    var isEmpty: Bool { count == 0 }

    /// The first two bytes, when they are there and no other is yet: the moment to judge them.
    var start: HeaderStart? { Int(count) == HeaderStart.length ? HeaderStart(bytes, at: 0) : nil }

    /// The header, once it is whole.
    var header: ReceivedHeader? {
        guard count >= HeaderStart.length, Int(count) == HeaderStart(bytes, at: 0).headerLength else { return nil }
        return ReceivedHeader(bytes, at: 0)
    }

    mutating func append(_ byte: UInt8) {
        storage[Int(count)] = byte
        count += 1
    }

    mutating func removeAll() { count = 0 }

    private var bytes: RawSpan {
        // Safe: the view is unsafe for types with padding only, and all fourteen bytes are initialized.
        @_lifetime(borrow self) get { unsafe storage.span.bytes }
    }
}
