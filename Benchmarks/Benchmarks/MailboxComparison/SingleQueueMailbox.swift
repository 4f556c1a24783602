internal import Synchronization

/// The other way that was measured (docs/decisions/mailbox.md): all producers push to one queue of the loop, each with
/// an overflow of its own behind it. Bounded in count and bytes, in order per producer, with the sleeping protocol of
/// `Mailbox`.
// Sendable: as `Mailbox`; an overflow is its producer's alone.
@safe package final class SingleQueueMailbox<Element: Sendable>: @unchecked Sendable {
    private let queue: MPSCQueue<Element>
    private let bounds: OverflowBounds<Element>
    private let producers: Int
    /// Of each producer: in memory of its own, so that its changes touch nothing of the others.
    private let overflows: UnsafeMutablePointer<UnsafeMutablePointer<OverflowQueue<Element>>>
    /// 1 while the consumer sleeps, and memory that waits with the queue's elements: a cache line each.
    private let sleeping: UnsafeMutablePointer<Atomic<Int>>
    private let queueBytes: UnsafeMutablePointer<Atomic<Int>>

    package init(
        producers: Int, capacity: Int = 4_096, overflowLimit: Int = 65_536, byteLimit: Int = .max,
        byteCount: @escaping @Sendable (Element) -> Int = { _ in 0 }
    ) {
        queue = MPSCQueue(capacity: capacity)
        bounds = OverflowBounds(count: overflowLimit, bytes: byteLimit, byteCount: byteCount)
        self.producers = producers
        unsafe overflows = .allocate(capacity: producers)
        for producer in 0..<producers {
            let overflow = UnsafeMutablePointer<OverflowQueue<Element>>.allocate(capacity: 1)
            unsafe overflow.initialize(to: OverflowQueue())
            unsafe (overflows + producer).initialize(to: overflow)
        }
        let lines = UnsafeMutableRawPointer.allocate(byteCount: 2 * cacheLineSize, alignment: cacheLineSize)
        unsafe sleeping = lines.bindMemory(to: Atomic<Int>.self, capacity: 1)
        unsafe sleeping.initialize(to: Atomic(0))
        unsafe queueBytes = (lines + cacheLineSize).bindMemory(to: Atomic<Int>.self, capacity: 1)
        unsafe queueBytes.initialize(to: Atomic(0))
    }

    deinit {
        for producer in 0..<producers {
            unsafe overflows[producer].deinitialize(count: 1)
            unsafe overflows[producer].deallocate()
        }
        unsafe overflows.deallocate()
        // The queue's bytes lie in the same allocation.
        unsafe UnsafeMutableRawPointer(sleeping).deallocate()
    }

    package func push(_ element: Element, from producer: Int) -> Bool {
        precondition(producer >= 0 && producer < producers, "no such loop")
        let overflow = unsafe overflows[producer]
        if unsafe overflow.pointee.isEmpty || flushOverflow(from: producer), pushIntoQueue(element) { return true }
        guard unsafe bounds.haveRoom(overflow.pointee.count, overflow.pointee.byteCount) else { return false }
        unsafe overflow.pointee.append(element, byteCount: bounds.byteCount(element))
        return true
    }

    private func pushIntoQueue(_ element: Element) -> Bool {
        let bytes = bounds.byteCount(element)
        guard unsafe bounds.haveRoomInRing(queueBytes.pointee.load(ordering: .relaxed)) else { return false }
        if bytes > 0 { unsafe queueBytes.pointee.add(bytes, ordering: .relaxed) }
        if queue.push(element) { return true }
        if bytes > 0 { unsafe queueBytes.pointee.subtract(bytes, ordering: .relaxed) }
        return false
    }

    package func flushOverflow(from producer: Int) -> Bool {
        let overflow = unsafe overflows[producer]
        unsafe overflow.pointee.drain(byteCount: bounds.byteCount) { pushIntoQueue($0) }
        return unsafe overflow.pointee.isEmpty
    }

    package func shouldWake(from producer: Int) -> Bool {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return unsafe sleeping.pointee.load(ordering: .relaxed) == 1
            && sleeping.pointee.exchange(0, ordering: .relaxed) == 1
    }

    package func drain(limit: Int = .max, _ body: (Element) -> Void) -> Int {
        var bytes = 0
        let taken = queue.drain(limit: limit) { element in
            bytes &+= bounds.byteCount(element)
            body(element)
        }
        if bytes > 0 { unsafe queueBytes.pointee.subtract(bytes, ordering: .relaxed) }
        return taken
    }

    package func prepareToSleep() -> Bool {
        unsafe sleeping.pointee.store(1, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if queue.count == 0 { return true }
        unsafe sleeping.pointee.store(0, ordering: .relaxed)
        return false
    }

    package func wokeUp() { unsafe sleeping.pointee.store(0, ordering: .relaxed) }
}
