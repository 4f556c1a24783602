import Glibc
public import Testing

/// Runs a task on threads of its own, so that it may block: what a blocking client in a test does must not take the
/// threads of Swift's pool away from the server under test.
public final class BlockingExecutor: TaskExecutor {
    public init() {}

    public func enqueue(_ job: consuming ExecutorJob) {
        let work = unsafe Work(job: UnownedJob(job), executor: asUnownedTaskExecutor())
        var thread = pthread_t()
        let argument = unsafe Unmanaged.passRetained(work).toOpaque()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                let work = unsafe Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue()
                unsafe work.job.runSynchronously(on: work.executor)
                return nil
            }, argument)
        precondition(result == 0, "a thread could not be made")
        pthread_detach(thread)
    }

    @safe private final class Work {
        let job: UnownedJob
        let executor: UnownedTaskExecutor

        init(job: UnownedJob, executor: UnownedTaskExecutor) {
            self.job = job
            unsafe self.executor = executor
        }
    }
}

/// Gives every test of a suite a thread of its own, so that it may block.
public struct BlockingTrait: SuiteTrait, TestTrait, TestScoping {
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(BlockingExecutor()) { try await function() }
    }
}

extension Trait where Self == BlockingTrait {
    /// The test waits for other threads: not on one of the few that all tasks share.
    public static var blocking: BlockingTrait { BlockingTrait() }
}
