/// What two cores must not write alternately: one line on every x86-64 and nearly every arm64.
let cacheLineSize = 64

/// A cache line's room in front of what one thread writes to, or behind it: whatever the allocator puts beside, it lies
/// on no line of that.
package struct CacheLine: BitwiseCopyable, Sendable {
    private let bytes = InlineArray<8, UInt64>(repeating: 0)

    package init() {}
}
