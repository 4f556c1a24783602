internal import Glibc

/// A thread that ends with what it runs.
package enum SystemThread {
    /// Runs `body` on a thread of its own, on whatever processors the calling thread may use, or could before it was
    /// bound to one. Returns why there is no thread, if there is none.
    package static func start(_ body: @escaping @Sendable () -> Void) -> SystemError? {
        let processors = PinnedThreads.allowedBefore
        let box = unsafe Unmanaged.passRetained(
            ThreadBody {
                if let processors { Processors.restrict(thread: 0, to: processors) }
                body()
            })
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                // Safe: retained above, for this thread.
                unsafe Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, unsafe box.toOpaque())
        guard result == 0 else {
            unsafe box.release()
            return SystemError(result)
        }
        pthread_detach(thread)
        return nil
    }
}

private final class ThreadBody {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}
