internal import Synchronization
internal import SystemCalls

/// Runs closures and the jobs of tasks on one loop.
///
/// `Task(executorPreference: loop.executor) { … }` resumes on the loop after every await. Usable from any thread; a job
/// never gets lost: what comes after the loop has ended goes to the global executor.
public final class LoopExecutor: TaskExecutor, Sendable {
    private let queue = JobQueue()
    private let index: Int
    private let group: GroupState
    private let hasEnded = Atomic<Bool>(false)
    private let behindMessages = Atomic<Int>(0)
    /// Held by the thread that empties the queue after the loop has ended. Never taken before.
    private let lastWill = Mutex<Void>(())

    package init(index: Int, group: GroupState) {
        self.index = index
        self.group = group
    }

    /// Whether the calling thread is this loop's.
    public var isCurrent: Bool { LoopGroup.currentLoop?.executor === self }

    /// Called by the Swift runtime, from any thread. Costs an allocation, and a wake-up if the loop sleeps.
    public func enqueue(_ job: consuming ExecutorJob) {
        push(.task(UnownedJob(job)))
    }

    /// Runs `body` on the loop, in one of its next turns, behind what the same thread gave it before. If the loop has
    /// ended, `body` runs on the global executor. Any thread. Costs an allocation, and a wake-up if the loop sleeps.
    public func execute(_ body: @escaping @Sendable () -> Void) {
        push(.closure(body))
    }

    /// Runs `body` on the loop behind all messages that threads without a loop have posted to it so far. There is
    /// always room for it. If the loop has ended, `body` runs on the global executor.
    package func executeBehindMessages(_ body: @escaping @Sendable () -> Void) {
        behindMessages.add(1, ordering: .relaxed)
        execute(body, behind: group.mailboxes[index].foreignPosition)
    }

    /// Whether something that was given so has not run yet: what is to come behind it has to go the same way.
    package var hasWorkBehindMessages: Bool { behindMessages.load(ordering: .acquiring) > 0 }

    private func execute(_ body: @escaping @Sendable () -> Void, behind position: Int) {
        execute { [self] in
            // A turn reads a bounded number of messages: if those before are not among them, the next turn looks again.
            if isCurrent, !group.mailboxes[index].hasTakenForeign(upTo: position) {
                return execute(body, behind: position)
            }
            behindMessages.subtract(1, ordering: .releasing)
            body()
        }
    }

    private func push(_ job: JobQueue.Job) {
        queue.push(job)
        if group.mailboxes[index].shouldWakeAfterForeignPush() { group.wake(index) }
        // The loop looks a last time after it has set `hasEnded`: either it sees the job, or this thread the end.
        if hasEnded.load(ordering: .sequentiallyConsistent) { giveToGlobalExecutor() }
    }

    // MARK: the loop's side

    var hasReadyJobs: Bool { !queue.isEmpty }

    func runReadyJobs() {
        guard !queue.isEmpty else { return }
        queue.takeAll { job in
            switch job {
            case .task(let job): unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            case .closure(let body): body()
            }
        }
    }

    func loopEnds() {
        // What runs from here on is no work of the loop's, and threads that are started for it are not bound.
        PinnedThreads.unpin()
        hasEnded.store(true, ordering: .sequentiallyConsistent)
        giveToGlobalExecutor()
    }

    private func giveToGlobalExecutor() {
        lastWill.withLock { _ in
            queue.takeAll { job in
                switch job {
                case .task(let job): globalConcurrentExecutor.enqueue(ExecutorJob(job))
                case .closure(let body): Task.detached { body() }
                }
            }
        }
    }
}
