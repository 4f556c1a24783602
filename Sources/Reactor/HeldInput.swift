/// Received bytes that the handler has not consumed: an unfinished head, what is behind a budget, what came while
/// paused.
@safe
struct HeldInput: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private var start = 0
    private var end = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        capacity = max(512, bytes.count)
        unsafe memory = .allocate(byteCount: capacity, alignment: 16)
        unsafe append(bytes)
    }

    deinit { unsafe memory.deallocate() }

    var byteCount: Int { end - start }

    /// Valid until the next mutation.
    var bytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: memory + start, count: end - start)
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        if end + bytes.count > capacity { makeRoom(for: bytes.count) }
        unsafe (memory + end).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        end += bytes.count
    }

    mutating func removeFirst(_ count: Int) {
        precondition(count <= byteCount)
        start += count
    }

    private mutating func makeRoom(for count: Int) {
        let kept = end - start
        if kept + count > capacity {
            // Doubling keeps what drips in linear; the receive pause bounds how far it goes.
            let newCapacity = max(kept + count, 2 * capacity)
            let newMemory = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
            unsafe newMemory.copyMemory(from: memory + start, byteCount: kept)
            unsafe memory.deallocate()
            unsafe memory = unsafe newMemory
            capacity = newCapacity
        } else {
            unsafe memory.copyMemory(from: memory + start, byteCount: kept)
        }
        (start, end) = (0, kept)
    }
}
