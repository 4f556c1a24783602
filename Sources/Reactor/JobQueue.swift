internal import Synchronization

/// Work that any thread gives to one loop. Unbounded, because a task's job must never be refused: a lock-free stack
/// that the loop takes as a whole and turns round, so that the order is kept.
@safe
final class JobQueue: @unchecked Sendable {
    // Sendable although it holds pointers: a node belongs to its pusher until the release that publishes it, and to the
    // one who took the whole stack after the acquire that emptied it.
    enum Job {
        case task(UnownedJob)
        case closure(@Sendable () -> Void)
    }

    @safe
    private struct Node {
        let job: Job
        var next: UnsafeMutablePointer<Node>?
    }

    private let top = unsafe Atomic<UnsafeMutablePointer<Node>?>(nil)

    deinit { precondition(isEmpty, "a loop ended with work in its queue") }

    var isEmpty: Bool { unsafe top.load(ordering: .relaxed) == nil }

    func push(_ job: Job) {
        let node = UnsafeMutablePointer<Node>.allocate(capacity: 1)
        unsafe node.initialize(to: Node(job: job, next: top.load(ordering: .relaxed)))
        while true {
            let (exchanged, current) = unsafe top.weakCompareExchange(
                expected: node.pointee.next, desired: node, ordering: .releasing)
            if exchanged { return }
            unsafe node.pointee.next = unsafe current
        }
    }

    /// Takes everything, oldest first.
    func takeAll(_ body: (Job) -> Void) {
        var newest = unsafe top.exchange(nil, ordering: .acquiring)
        var oldest: UnsafeMutablePointer<Node>?
        while let node = unsafe newest {
            unsafe newest = unsafe node.pointee.next
            unsafe node.pointee.next = unsafe oldest
            unsafe oldest = unsafe node
        }
        while let node = unsafe oldest {
            unsafe oldest = unsafe node.pointee.next
            let job = unsafe node.pointee.job
            unsafe node.deinitialize(count: 1)
            unsafe node.deallocate()
            body(job)
        }
    }
}
