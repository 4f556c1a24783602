internal import Synchronization

/// How long the variants of a frame are, its other forms such as compressed ones: what each is, is its maker's
/// business.
package typealias VariantLengths = InlineArray<7, Int>

/// A frame encoded once for all loops: immutable bytes behind a count of owners, in one allocation.
///
/// Every target loop is an owner and calls `release` once, whatever the number of its subscribers; within a loop plain
/// integers do the counting. The last owner frees the memory, on whichever thread. One machine word, so it travels in
/// a mailbox as `rawValue`.
// Sendable: the bytes do not change once `allocate` has returned, and the count is atomic. What `number` changes,
// nobody else has seen yet.
@safe package struct SharedFrame: @unchecked Sendable {
    // 40 bytes: a topic's history may keep a thousand frames of 200.
    @safe private struct Header: ~Copyable {
        let owners: Atomic<UInt32>
        var isQuiet = false
        var isRemote = false
        /// Whether the lengths of variants lie between the header and the bytes.
        let hasVariants: Bool
        let byteCount: Int
        /// Bytes of the frame and of all its variants.
        let totalByteCount: Int
        /// Retained, so that the topic outlives the frame even if all tables forget it while the frame is on its way.
        var topic: Unmanaged<TopicEntry>?
        var stamp: UInt64
    }

    private let header: UnsafeMutablePointer<Header>

    private init(header: UnsafeMutablePointer<Header>) { unsafe self.header = header }

    /// - Parameters:
    ///   - byteCount: bytes of the frame itself.
    ///   - variants: bytes of each variant, which lie behind the frame in this order; 0 where there is none.
    ///   - owners: how many times `release` will be called; at least 1.
    ///   - topic: what the frame is published to, for the loops that receive it.
    ///   - stamp: the topic's `retainedCount` before the publish.
    ///   - body: writes all the bytes, which are uninitialized before.
    package static func allocate(
        byteCount: Int, variants: VariantLengths = VariantLengths(repeating: 0), owners: Int,
        topic: TopicEntry? = nil, stamp: UInt64 = 0, filling body: (UnsafeMutableRawBufferPointer) -> Void
    ) -> SharedFrame {
        precondition(byteCount >= 0 && owners > 0, "a frame has an owner")
        let total = variants.indices.reduce(byteCount) { $0 + variants[$1] }
        let hasVariants = total > byteCount
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: headerByteCount(hasVariants) + total, alignment: MemoryLayout<Header>.alignment)
        let header = unsafe memory.bindMemory(to: Header.self, capacity: 1)
        unsafe header.initialize(
            to: Header(
                owners: Atomic(UInt32(owners)), hasVariants: hasVariants, byteCount: byteCount, totalByteCount: total,
                topic: topic.map { unsafe .passRetained($0) }, stamp: stamp))
        if hasVariants { unsafe (memory + MemoryLayout<Header>.size).storeBytes(of: variants, as: VariantLengths.self) }
        let frame = unsafe SharedFrame(header: header)
        unsafe body(
            UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(mutating: frame.start), count: total))
        return frame
    }

    private static func headerByteCount(_ hasVariants: Bool) -> Int {
        MemoryLayout<Header>.size + (hasVariants ? MemoryLayout<VariantLengths>.size : 0)
    }

    /// The bytes of the frame itself. Valid until this owner's `release`.
    package var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start, count: header.pointee.byteCount)
    }

    /// The bytes of a variant, valid as long as `bytes`; nil if the frame does not have it.
    package func variant(_ index: Int) -> UnsafeRawBufferPointer? {
        guard hasVariants else { return nil }
        let lengths = unsafe (UnsafeRawPointer(header) + MemoryLayout<Header>.size).load(as: VariantLengths.self)
        guard lengths[index] > 0 else { return nil }
        let offset = unsafe (0..<index).reduce(header.pointee.byteCount) { $0 + lengths[$1] }
        return unsafe UnsafeRawBufferPointer(start: start + offset, count: lengths[index])
    }

    /// Whether the frame has any variant.
    package var hasVariants: Bool { unsafe header.pointee.hasVariants }

    /// Bytes of the frame and of all its variants.
    package var byteCount: Int { unsafe header.pointee.totalByteCount }

    /// Bytes of memory that the frame takes, with what allocators round up by.
    package var memory: Int { (Self.headerByteCount(hasVariants) + byteCount + 8 + 15) & ~15 }

    /// The bytes lie behind the header, and the lengths of variants, in the same allocation.
    private var start: UnsafeRawPointer { unsafe UnsafeRawPointer(header) + Self.headerByteCount(hasVariants) }

    /// The topic given to `allocate`. Costs a retain.
    package var topic: TopicEntry? { unsafe header.pointee.topic?.takeUnretainedValue() }

    /// How many messages of the topic came before this frame's publish, of those that are counted: retained ones, or
    /// all where the topic has a history.
    package var stamp: UInt64 { unsafe header.pointee.stamp }

    /// Gives the frame its place in its topic's order. Called by the topic's home loop, which has the frame for itself.
    /// - Parameters:
    ///   - entry: the topic's entry, which may have been made anew since the frame was.
    ///   - stamp: the topic's `retainedCount` before this.
    package func number(in entry: TopicEntry, stamp: UInt64) {
        if let topic = unsafe header.pointee.topic,
            unsafe topic.toOpaque() != Unmanaged.passUnretained(entry).toOpaque()
        {
            unsafe topic.release()
            unsafe header.pointee.topic = .passRetained(entry)
        }
        unsafe header.pointee.stamp = stamp
    }

    /// Whether the frame came of the report of a drop, so that what is dropped of it, on whichever loop, is counted and
    /// not reported.
    package var isQuiet: Bool { unsafe header.pointee.isQuiet }

    /// Makes the frame quiet. Called by its maker, before anyone else has it.
    package func makeQuiet() { unsafe header.pointee.isQuiet = true }

    /// Whether the frame came from another server of a cluster, so that it does not go to others again.
    package var isRemote: Bool { unsafe header.pointee.isRemote }

    /// Makes the frame remote. Called by its maker, before anyone else has it.
    package func makeRemote() { unsafe header.pointee.isRemote = true }

    /// Adds owners. Called by an owner.
    package func retain(by owners: Int = 1) { unsafe header.pointee.owners.add(UInt32(owners), ordering: .relaxed) }

    /// Gives up ownerships. The frame is freed with the last.
    package func release(by owners: Int = 1) {
        // Releasing: what this owner has read comes before; acquiring: the last owner frees after all have read.
        let had = unsafe header.pointee.owners.subtract(UInt32(owners), ordering: .acquiringAndReleasing).oldValue
        assert(had >= owners, "a frame was released too often")
        if had > owners { return }
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
