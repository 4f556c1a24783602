import Dispatch
import Glibc

enum Threads {
    /// Whether so many threads can be started beside those that there are. Only trying tells: users and containers have
    /// limits of their own.
    static func canStart(_ count: Int) -> Bool {
        let end = DispatchSemaphore(value: 0)
        var threads: [pthread_t] = []
        defer {
            for _ in threads { end.signal() }
            for thread in threads { pthread_join(thread, nil) }
        }
        while threads.count < count {
            var thread = pthread_t()
            // Safe: the semaphore is there until the thread has been joined.
            let result = unsafe pthread_create(
                &thread, nil,
                { end in
                    unsafe Unmanaged<DispatchSemaphore>.fromOpaque(end!).takeUnretainedValue().wait()
                    return nil
                }, Unmanaged.passUnretained(end).toOpaque())
            guard result == 0 else { return false }
            threads.append(thread)
        }
        return true
    }
}
