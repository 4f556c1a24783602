/// Send queues that nobody uses at present, last in, first out.
@safe
struct SendQueuePool: ~Copyable {
    private static let keptCount = 1024
    private var free: [UnsafeMutablePointer<SendQueue>] = unsafe []

    deinit {
        for index in unsafe free.indices { unsafe Self.destroy(free[index]) }
    }

    mutating func take() -> UnsafeMutablePointer<SendQueue> {
        if let queue = unsafe free.popLast() { return unsafe queue }
        let queue = UnsafeMutablePointer<SendQueue>.allocate(capacity: 1)
        unsafe queue.initialize(to: SendQueue())
        return unsafe queue
    }

    /// - Parameter queue: empty.
    mutating func giveBack(_ queue: UnsafeMutablePointer<SendQueue>) {
        if unsafe free.count < Self.keptCount {
            unsafe free.append(queue)
        } else {
            unsafe Self.destroy(queue)
        }
    }

    private static func destroy(_ queue: UnsafeMutablePointer<SendQueue>) {
        unsafe queue.deinitialize(count: 1)
        unsafe queue.deallocate()
    }
}
