import Glibc
import Synchronization

/// A thread that runs `body` again and again until it is stopped.
final class RepeatingThread: Sendable {
    private let isOver = Atomic(false)
    private let thread = Mutex<pthread_t?>(nil)

    init(_ body: @escaping @Sendable () -> Void) {
        let argument = unsafe Unmanaged.passRetained(Work(thread: self, body: body)).toOpaque()
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                let work = unsafe Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue()
                while !work.thread.isOver.load(ordering: .relaxed) { work.body() }
                return nil
            }, argument)
        precondition(result == 0, "a thread could not be made")
        self.thread.withLock { $0 = thread }
    }

    /// Returns once `body` has run for the last time.
    func stop() {
        isOver.store(true, ordering: .relaxed)
        if let thread = thread.withLock({ $0.take() }) { pthread_join(thread, nil) }
    }

    private final class Work {
        let thread: RepeatingThread
        let body: @Sendable () -> Void

        init(thread: RepeatingThread, body: @escaping @Sendable () -> Void) {
            self.thread = thread
            self.body = body
        }
    }
}
