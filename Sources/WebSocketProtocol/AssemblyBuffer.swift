/// The owner of the bytes of a message that came in several pieces.
///
/// It grows geometrically with what has really arrived, so that a peer gets memory for bytes it sent and not for bytes
/// it announced. Empty, it owns nothing once `release` was called.
@safe struct AssemblyBuffer: ~Copyable {
    /// Invariant: `base` holds `capacity` bytes, of which the first `count` are initialized; nil when `capacity` is 0.
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private(set) var count = 0

    /// The smallest allocation, since most messages that come in pieces at all are not tiny.
    private static let minimumCapacity = 256

    deinit { unsafe base?.deallocate() }

    /// Appends a copy of `bytes`. `announced` is how many more will follow at most, if that is known: the buffer does
    /// not grow beyond them. Amortized cost: one copy per byte.
    mutating func append(_ bytes: RawSpan, announced: Int?) {
        guard bytes.byteCount > 0 else { return }
        reserve(count + bytes.byteCount, announced: announced)
        let destination = unsafe base! + count
        // Safe: `reserve` made room for them behind `count`, and the source is memory of someone else.
        unsafe bytes.withUnsafeBytes { source in
            unsafe destination.copyMemory(from: source.baseAddress!, byteCount: source.count)
        }
        count += bytes.byteCount
    }

    private mutating func reserve(_ needed: Int, announced: Int?) {
        guard needed > capacity else { return }
        var grown = max(2 * needed, AssemblyBuffer.minimumCapacity)
        if let announced { grown = min(grown, needed + announced) }
        let larger = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 16)
        // Safe: `count` bytes are initialized in the old allocation, fit into the new one, and nobody else has the old
        // one.
        if let base = unsafe base {
            unsafe larger.copyMemory(from: base, byteCount: count)
            unsafe base.deallocate()
        }
        unsafe base = larger
        capacity = grown
    }

    /// The bytes from `start` to the end, valid until the buffer is changed.
    @_lifetime(borrow self)
    func bytes(from start: Int) -> RawSpan {
        precondition(start >= 0 && start <= count, "outside of the assembled bytes")
        guard let base = unsafe base else { return RawSpan() }
        // Safe: the invariant and the precondition; the borrow of `self` keeps the memory alive and unchanged.
        let bytes = unsafe RawSpan(_unsafeStart: base + start, byteCount: count - start)
        return unsafe _overrideLifetime(bytes, borrowing: self)
    }

    /// Forgets the bytes behind the first `newCount` and keeps the memory for the next ones.
    mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "a buffer cannot be truncated to more than it holds")
        count = newCount
    }

    /// Forgets everything and gives the memory back.
    mutating func release() {
        unsafe base?.deallocate()
        unsafe base = nil
        capacity = 0
        count = 0
    }
}
