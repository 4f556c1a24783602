import Glibc

/// Runs a task on threads of its own, so that it may block: what a blocking client in a test does must not take the
/// threads of Swift's pool away from the server under test.
final class BlockingExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
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
