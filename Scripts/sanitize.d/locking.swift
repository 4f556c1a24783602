// What ThreadSanitizer says of two threads that count together: with `locked` under a mutex, contended, so that the kernel
// hands it over; with `beside` one of them past the mutex; with `bare` without any lock.
import Glibc
import Synchronization

let kind = CommandLine.arguments.dropFirst().first ?? "locked"
nonisolated(unsafe) var count = 0
let lock = Mutex(0)
// Tells each round of one thread from the other's, and orders nothing.
let rounds = 400

@Sendable func countAlone() { count += 1 }

@Sendable func work(isSecond: Bool) {
    for _ in 0..<rounds {
        if kind == "bare" || (kind == "beside" && isSecond) {
            countAlone()
        } else {
            lock.withLock { _ in
                countAlone()
                // Long enough that the other thread gives up spinning and sleeps in the kernel.
                usleep(200)
            }
        }
    }
}

var threads: [pthread_t] = [0, 0]
pthread_create(&threads[0], nil, { _ in work(isSecond: false); return nil }, nil)
pthread_create(&threads[1], nil, { _ in work(isSecond: true); return nil }, nil)
for thread in threads { pthread_join(thread, nil) }
