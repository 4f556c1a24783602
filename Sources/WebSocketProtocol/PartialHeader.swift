/// The bytes of a header that is not all there yet. At most 14, kept inline.
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
