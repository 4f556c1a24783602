internal import Glibc
import Reactor
import Ringcast
import Synchronization
import SystemCalls

/// A thread that calls each worker's `clockTick` on its loop, as often as it asks for; never while one is still to be
/// served, so that nothing piles up in front of a loop that is behind.
final class Pacer: Sendable {
    private let setup: LoadSetup
    private let entries: [Entry]
    private let isStopped = Atomic<Bool>(false)

    private final class Entry: Sendable {
        let worker: Worker
        let isPending = Atomic<Bool>(false)
        /// Nanoseconds from tick to tick, as the worker says at each of them.
        let interval: Atomic<UInt64>

        init(_ worker: Worker) {
            self.worker = worker
            interval = Atomic(1_000_000)
        }
    }

    init(workers: [Worker], setup: LoadSetup) {
        self.setup = setup
        entries = workers.map(Entry.init)
    }

    func start() {
        var thread = pthread_t()
        // Safe: the pacer is kept alive by the reference that the thread takes over.
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let result = unsafe pthread_create(&thread, nil, { unsafe Pacer.run($0) }, context)
        precondition(result == 0, "a thread could not be made: \(result)")
        pthread_detach(thread)
    }

    func stop() { isStopped.store(true, ordering: .releasing) }

    private static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context = unsafe context else { return nil }
        let pacer = unsafe Unmanaged<Pacer>.fromOpaque(context).takeRetainedValue()
        // By default the kernel may wake a thread 50 µs late, to save power.
        _ = SystemFile.write("1", to: "/proc/thread-self/timerslack_ns")
        var next = Array(repeating: UInt64(0), count: pacer.entries.count)
        while !pacer.isStopped.load(ordering: .acquiring) {
            let now = pacer.setup.clock.now
            for (index, entry) in pacer.entries.enumerated() where next[index] <= now {
                pacer.serve(entry)
                // Ticks that were missed are not made up for here: schedules do that.
                next[index] = max(next[index] + entry.interval.load(ordering: .relaxed), now)
            }
            pacer.setup.clock.sleep(until: next.min() ?? now + 10_000_000)
        }
        return nil
    }

    private func serve(_ entry: Entry) {
        guard !entry.isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
        setup.group.executor(of: entry.worker.index).execute {
            entry.isPending.store(false, ordering: .releasing)
            entry.worker.clockTick()
            entry.interval.store(entry.worker.tickInterval, ordering: .relaxed)
        }
    }
}
