internal import Synchronization

/// Which lanes of a mailbox may hold something: set by producers, taken by the consumer. 64 lanes to a word.
@safe struct LaneBitmap: ~Copyable {
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let wordCount: Int

    init(count: Int) {
        wordCount = (count + 63) / 64
        unsafe words = .allocate(capacity: wordCount)
        for word in 0..<wordCount {
            unsafe (words + word).initialize(to: Atomic(0))
        }
    }

    deinit {
        unsafe words.deallocate()
    }

    var isEmpty: Bool {
        for word in 0..<wordCount where unsafe (words + word).pointee.load(ordering: .acquiring) != 0 {
            return false
        }
        return true
    }

    func contains(_ lane: Int) -> Bool {
        unsafe (words + lane / 64).pointee.load(ordering: .relaxed) & Self.bit(lane) != 0
    }

    /// Writes to the shared line only if the bit is not seen set, and may therefore see it set while the consumer is
    /// just taking it: `Mailbox.shouldWake` looks again behind its fence.
    func insert(_ lane: Int) {
        if contains(lane) { return }
        unsafe (words + lane / 64).pointee.bitwiseOr(Self.bit(lane), ordering: .releasing)
    }

    /// Consumer only. Clears the bits, each before its lane is visited, beginning with lane `start` and going round.
    ///
    /// When `visit` says false, the lane just visited and those not reached keep their bits.
    func removeAll(from start: Int, while visit: (Int) -> Bool) {
        let beforeStart = Self.bit(start) - 1
        // The first word comes twice: for the lanes from `start` on, and at the end of the round for those before.
        for step in 0...wordCount {
            let mask = step == 0 ? ~beforeStart : step == wordCount ? beforeStart : .max
            let index = (start / 64 + step) % wordCount
            let word = unsafe words + index
            if unsafe word.pointee.load(ordering: .relaxed) & mask == 0 { continue }
            var pending = unsafe word.pointee.bitwiseAnd(~mask, ordering: .acquiring).oldValue & mask
            // Pairs with the fence in `Mailbox.shouldWake`: either the lanes are seen filled here, or the producer sees
            // its bit cleared there.
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            while pending != 0 {
                guard visit(index * 64 + pending.trailingZeroBitCount) else {
                    unsafe word.pointee.bitwiseOr(pending, ordering: .releasing)
                    return
                }
                pending &= pending - 1
            }
        }
    }

    private static func bit(_ lane: Int) -> UInt64 { 1 << UInt64(lane % 64) }
}
