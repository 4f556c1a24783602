/// Send queues that nobody uses at present, last in, first out.
@safe
struct SendQueuePool: ~Copyable {
    private static let keptCount = 1024
    /// A queue with room for more pieces has been a slow reader's. It is not kept: by and by every queue of the pool
    /// would have been one's, and each would hold what the longest backlog needed.
    private static let keptPieceCount = 64
    private var free: [SpareQueue] = []

    deinit {
        for spare in free { spare.destroy() }
    }

    mutating func take() -> UnsafeMutablePointer<SendQueue> {
        if let spare = free.popLast() { return unsafe spare.queue }
        let queue = UnsafeMutablePointer<SendQueue>.allocate(capacity: 1)
        unsafe queue.initialize(to: SendQueue())
        return unsafe queue
    }

    /// - Parameter queue: empty.
    mutating func giveBack(_ queue: UnsafeMutablePointer<SendQueue>) {
        let spare = unsafe SpareQueue(queue: queue)
        if unsafe free.count < Self.keptCount && queue.pointee.capacity <= Self.keptPieceCount {
            free.append(spare)
        } else {
            spare.destroy()
        }
    }
}

/// A queue that belongs to the pool alone.
@safe
private struct SpareQueue {
    let queue: UnsafeMutablePointer<SendQueue>

    func destroy() {
        unsafe queue.deinitialize(count: 1)
        unsafe queue.deallocate()
    }
}
