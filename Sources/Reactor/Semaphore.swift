internal import Glibc

/// Lets one thread wait for another.
@safe
final class Semaphore: @unchecked Sendable {
    // Sendable although it holds a pointer: sem_t is made for several threads.
    private let storage = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { unsafe sem_init(storage, 0, 0) }

    deinit {
        unsafe sem_destroy(storage)
        unsafe storage.deallocate()
    }

    func signal() { unsafe sem_post(storage) }

    func wait() {
        while unsafe sem_wait(storage) != 0 {}  // interrupted by a signal
    }
}
