internal import Synchronization

/// How long the other forms of a frame are, such as compressed ones: what they are is their maker's business.
package typealias VariantLengths = InlineArray<7, Int>

/// A frame encoded once for all loops: immutable bytes behind a count of owners, in one allocation.
///
/// Every target loop is an owner and calls `release` once, whatever the number of its subscribers; within a loop plain
/// integers do the counting. The last owner frees the memory, on whichever thread. One machine word, so it travels in
/// a mailbox as `rawValue`.
// Sendable: the bytes do not change once `allocate` has returned, and the count is atomic. What `number` changes,
// nobody else has seen yet.
@safe package struct SharedFrame: @unchecked Sendable {
    @safe private struct Header: ~Copyable {
        let owners: Atomic<Int>
        let byteCount: Int
        let variants: VariantLengths
        /// Of all forms.
        let totalByteCount: Int
        /// Retained: the topic outlives the frame, even if all tables forget it while the frame is on its way.
        var topic: Unmanaged<TopicEntry>?
        var stamp: UInt64
        var offset: UInt64 = 0
        var isQuiet = false
    }

    private let header: UnsafeMutablePointer<Header>

    private init(header: UnsafeMutablePointer<Header>) {
        unsafe self.header = header
    }

    /// - Parameters:
    ///   - byteCount: of the frame itself.
    ///   - variants: of its other forms, which lie behind it in this order; 0: there is no such form.
    ///   - owners: how many times `release` will be called; at least 1.
    ///   - topic: what the frame is published to, for the loops that receive it.
    ///   - stamp: the topic's `retainedCount` before the publish.
    ///   - body: writes all the bytes; they are uninitialized before.
    package static func allocate(
        byteCount: Int, variants: VariantLengths = VariantLengths(repeating: 0), owners: Int,
        topic: TopicEntry? = nil, stamp: UInt64 = 0, filling body: (UnsafeMutableRawBufferPointer) -> Void
    ) -> SharedFrame {
        precondition(byteCount >= 0 && owners > 0, "a frame has an owner")
        let total = variants.indices.reduce(byteCount) { $0 + variants[$1] }
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Header>.size + total, alignment: MemoryLayout<Header>.alignment)
        let header = unsafe memory.bindMemory(to: Header.self, capacity: 1)
        unsafe header.initialize(
            to: Header(
                owners: Atomic(owners), byteCount: byteCount, variants: variants,
                totalByteCount: total, topic: topic.map { unsafe .passRetained($0) },
                stamp: stamp))
        let frame = unsafe SharedFrame(header: header)
        unsafe body(
            UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(mutating: frame.start), count: total))
        return frame
    }

    /// What was filled in. Valid until this owner's `release`.
    package var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start, count: header.pointee.byteCount)
    }

    /// The frame in another form, valid as `bytes` is; nil: it does not have this one.
    package func variant(_ index: Int) -> UnsafeRawBufferPointer? {
        let lengths = unsafe header.pointee.variants
        guard lengths[index] > 0 else { return nil }
        let offset = unsafe (0..<index).reduce(header.pointee.byteCount) { $0 + lengths[$1] }
        return unsafe UnsafeRawBufferPointer(start: start + offset, count: lengths[index])
    }

    /// Whether it has any.
    package var hasVariants: Bool { unsafe header.pointee.totalByteCount > header.pointee.byteCount }

    /// Bytes of all forms.
    package var byteCount: Int { unsafe header.pointee.totalByteCount }

    /// The bytes lie behind the header in the same allocation.
    private var start: UnsafeRawPointer { unsafe UnsafeRawPointer(header) + MemoryLayout<Header>.size }

    /// The topic given to `allocate`. Costs a retain.
    package var topic: TopicEntry? { unsafe header.pointee.topic?.takeUnretainedValue() }

    /// Where its publish stands among the topic's retained ones.
    package var stamp: UInt64 { unsafe header.pointee.stamp }

    /// Where it stands in the order of its topic's messages; 0: nowhere.
    package var offset: UInt64 { unsafe header.pointee.offset }

    /// Gives the frame its place in its topic's order. By the topic's home loop, which has the frame for itself.
    /// - Parameters:
    ///   - entry: the topic's, which may have been made anew since the frame was.
    ///   - stamp: as for `allocate`.
    package func number(_ offset: UInt64, in entry: TopicEntry, stamp: UInt64) {
        if let topic = unsafe header.pointee.topic,
            unsafe topic.toOpaque() != Unmanaged.passUnretained(entry).toOpaque()
        {
            unsafe topic.release()
            unsafe header.pointee.topic = .passRetained(entry)
        }
        unsafe header.pointee.offset = offset
        unsafe header.pointee.stamp = stamp
    }

    /// It came of the report of a drop: what is dropped of it is counted, and not reported again, on whichever loop.
    package var isQuiet: Bool { unsafe header.pointee.isQuiet }

    /// Its maker alone, before anyone else has it.
    package func makeQuiet() { unsafe header.pointee.isQuiet = true }

    /// Adds owners; only an owner may.
    package func retain(by owners: Int = 1) {
        unsafe header.pointee.owners.add(owners, ordering: .relaxed)
    }

    /// Gives up one ownership. The frame is freed with the last.
    package func release(by owners: Int = 1) {
        // Release: this owner has read; acquire: the last one frees after all have.
        let left = unsafe header.pointee.owners.subtract(owners, ordering: .acquiringAndReleasing).newValue
        assert(left >= 0, "a frame was released too often")
        if left > 0 { return }
        unsafe header.pointee.topic?.release()
        unsafe header.deinitialize(count: 1)
        unsafe UnsafeMutableRawPointer(header).deallocate()
    }
}

extension SharedFrame {
    /// The frame as one word, for a mailbox. Carries no ownership of its own.
    package var rawValue: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(header) }

    /// - Parameter rawValue: of a frame that has not been freed.
    @unsafe package init(rawValue: UnsafeMutableRawPointer) {
        unsafe self.init(header: rawValue.assumingMemoryBound(to: Header.self))
    }
}
