import SystemCalls
import WebSocketProtocol

/// Keys for the frames of one loop's clients: output of the kernel's cryptographic generator (RFC 6455 §5.3), drawn
/// 4,096 at a time, each used once.
///
/// A value that refers to memory of the loop's, freed by `deallocate`: asking for a key costs no reference counting.
@safe struct MaskingKeyPool {
    private static let capacity = 4096

    /// Keys used since the pool was last filled.
    private let usedCount: UnsafeMutablePointer<Int>
    private let keys: UnsafeMutablePointer<UInt32>

    /// Makes an empty pool: keys are drawn when the first one is asked for.
    init() {
        unsafe usedCount = .allocate(capacity: 1)
        unsafe usedCount.initialize(to: Self.capacity)
        unsafe keys = .allocate(capacity: Self.capacity)
    }

    /// Frees the memory. Called when the loop is gone, and its sockets before it.
    func deallocate() {
        unsafe usedCount.deallocate()
        unsafe keys.deallocate()
    }

    /// A key that was never used before. On the loop only.
    @inline(__always)
    func next() -> MaskingKey {
        if unsafe usedCount.pointee == Self.capacity { fill() }
        // Safe: below the capacity, and `fill` has initialized all of it.
        defer { unsafe usedCount.pointee &+= 1 }
        return unsafe MaskingKey(rawValue: keys[usedCount.pointee])
    }

    @inline(never)
    private func fill() {
        let byteCount = Self.capacity * MemoryLayout<UInt32>.size
        unsafe SystemRandom.fill(UnsafeMutableRawBufferPointer(start: keys, count: byteCount))
        unsafe usedCount.pointee = 0
    }
}
