internal import Synchronization

/// How a consumer blocks without missing anything, and how producers wake it only when they have to.
///
///     consumer                            producer
///     prepareToSleep():                   push, push, push
///         sleeping = 1                    shouldWake():
///         fence                               fence
///         anything there? sleeping = 0        exchange(sleeping, 0) was 1?
///     block                               wake the consumer
///     wokeUp()
///
/// Of the two fences one is first: either the consumer sees the push, or the producer sees `sleeping`. A sequentially
/// consistent load in place of the fence would not order it behind the push. No payload depends on the fences: those
/// travel by release and acquire.
extension Mailbox {
    /// Consumer only. Returns whether the mailbox is empty and producers will wake the consumer, so that it may block.
    package func prepareToSleep() -> Bool {
        unsafe sleeping.pointee.store(1, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if isEmpty { return true }
        unsafe sleeping.pointee.store(0, ordering: .relaxed)
        return false
    }

    /// Consumer only, after blocking, however that ended: nobody has to wake the consumer any more.
    package func wokeUp() {
        unsafe sleeping.pointee.store(0, ordering: .relaxed)
    }

    /// From loop `producer`, once after each batch of pushes. Returns whether the consumer has to be woken.
    ///
    /// Skipping it delays the batch without bound. Costs one fence.
    package func shouldWake(from producer: Int) -> Bool {
        shouldWake(lane: producer)
    }

    /// `shouldWake(from:)` for a thread that used `push(foreign:)`.
    package func shouldWakeAfterForeignPush() -> Bool {
        shouldWake(lane: foreignLane)
    }

    private func shouldWake(lane: Int) -> Bool {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        // The push may have seen the bit of a drain that had already looked at the lane.
        if !lanesInUse.contains(lane) && count(of: lane) > 0 {
            lanesInUse.insert(lane)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
        }
        // The look before the exchange spares the line of a consumer that is awake.
        return unsafe sleeping.pointee.load(ordering: .relaxed) == 1
            && sleeping.pointee.exchange(0, ordering: .relaxed) == 1
    }
}
