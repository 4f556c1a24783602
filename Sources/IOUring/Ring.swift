internal import CIOUring
internal import Glibc
package import SystemCalls

/// One io_uring: a queue of submissions and a queue of completions shared with the kernel.
///
/// The room around it, `IOUring`, is io_uring for Swift: rings, submissions and completions, registered buffers and
/// files. It stands on `SystemCalls`, and knows no connection, no loop and no token: `userData` is a number here.
///
/// A ring belongs to the thread that made it (`IORING_SETUP_SINGLE_ISSUER`): every method is called there.
@safe
package struct Ring: ~Copyable {
    /// liburing keeps pointers into the structure, so it never moves.
    let storage: UnsafeMutablePointer<io_uring>
    /// Whether calls name the ring by its place in the thread's table of registered rings.
    let isRegistered: Bool

    /// - Parameters:
    ///   - submissionEntries: submissions that fit before they have to be handed over; a power of two.
    ///   - completionEntries: completions that fit before the kernel has to keep some aside.
    package init(submissionEntries: UInt32, completionEntries: UInt32) throws(SystemError) {
        // A local until nothing can fail: a throw after the last property is set would run `deinit` as well.
        let storage = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
        unsafe storage.initialize(to: io_uring())
        let deferred = KernelFeature.deferredTaskRun.isAllowed ? IORING_SETUP_DEFER_TASKRUN : IORING_SETUP_COOP_TASKRUN
        var parameters = io_uring_params()
        parameters.flags =
            IORING_SETUP_SINGLE_ISSUER | deferred | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP
            | IORING_SETUP_CQSIZE
        parameters.cq_entries = completionEntries
        let result = unsafe io_uring_queue_init_params(submissionEntries, storage, &parameters)
        guard result == 0 else {
            unsafe storage.deallocate()
            throw SystemError(-result)
        }
        // An optimisation only: on failure calls go through the ordinary descriptor.
        isRegistered = unsafe KernelFeature.registeredRing.isAllowed && io_uring_register_ring_fd(storage) == 1
        unsafe self.storage = unsafe storage
    }

    deinit {
        unsafe io_uring_queue_exit(storage)
        unsafe storage.deallocate()
    }

    /// How other rings address this one.
    package var descriptor: Int32 { unsafe storage.pointee.ring_fd }

    /// Submissions that the kernel has not seen yet.
    package var unsubmittedCount: Int { Int(unsafe io_uring_sq_ready(storage)) }

    /// Hands over every submission and waits for a completion.
    ///
    /// - Parameter milliseconds: how long at most; nil waits for ever, 0 only collects what is ready.
    /// - Returns: nil, or what the kernel refused with; a signal and the end of the time are no errors.
    package func submitAndWait(milliseconds: UInt64?) -> SystemError? {
        let result: Int32
        switch milliseconds {
        case 0:
            result = unsafe io_uring_submit_and_get_events(storage)
        case let milliseconds?:
            var time = __kernel_timespec(
                tv_sec: Int64(milliseconds / 1000), tv_nsec: Int64(milliseconds % 1000) * 1_000_000)
            var first: UnsafeMutablePointer<io_uring_cqe>?
            result = unsafe io_uring_submit_and_wait_timeout(storage, &first, 1, &time, nil)
        case nil:
            result = unsafe io_uring_submit_and_wait(storage, 1)
        }
        return Self.error(of: result)
    }

    /// The error in the result of a call that waits.
    static func error(of result: Int32) -> SystemError? {
        switch result {
        case -ETIME, -EINTR: nil
        // Completions have to be collected before the kernel takes more: the caller does that next.
        case -EBUSY, -EAGAIN: nil
        case ..<0: SystemError(-result)
        default: nil
        }
    }

    /// Hands over every submission now. Returns what the kernel refused with, if it did.
    @discardableResult
    package func submit() -> SystemError? {
        let result = unsafe io_uring_submit(storage)
        return result < 0 ? SystemError(-result) : nil
    }

    /// The next completion, if one is ready. No system call, unless there were more than the queue holds: the kernel
    /// has kept those aside, and nil would wrongly say that nothing else has happened.
    @inline(__always)
    package func nextCompletion() -> Completion? {
        guard let entry = unsafe ringcast_next_completion(storage) ?? completionKeptAside() else { return nil }
        let completion = unsafe Completion(
            userData: entry.pointee.user_data, result: entry.pointee.res, flags: entry.pointee.flags)
        unsafe io_uring_cq_advance(storage, 1)
        return completion
    }

    @inline(never)
    private func completionKeptAside() -> UnsafeMutablePointer<io_uring_cqe>? {
        guard unsafe io_uring_cq_has_overflow(storage) else { return nil }
        _ = unsafe io_uring_get_events(storage)
        return unsafe ringcast_next_completion(storage)
    }

    /// A free submission, handing over what is there when the queue is full.
    @inline(__always)
    func nextSubmission() -> UnsafeMutablePointer<io_uring_sqe> {
        if let entry = unsafe io_uring_get_sqe(storage) { return unsafe entry }
        return unsafe submissionBehindFullQueue()
    }

    /// Memory that the kernel is short of, or completions that it has no room for, may pass: it is asked again for a
    /// second or so. Any other refusal lasts, and so does this one then: a loop that can ask nothing of the kernel has
    /// no way on.
    @inline(never)
    private func submissionBehindFullQueue() -> UnsafeMutablePointer<io_uring_sqe> {
        var refusals = 0
        while true {
            let error = submit()
            if let entry = unsafe io_uring_get_sqe(storage) { return unsafe entry }
            switch error {
            case .interrupted: continue
            case nil, .wouldBlock, .busy, .outOfMemory: refusals += 1
            case let error?: fatalError("io_uring takes no submission: \(error)")
            }
            if refusals == 1_000 { fatalError("io_uring takes no submission: \(error?.description ?? "it is full")") }
            usleep(1_000)
        }
    }
}
