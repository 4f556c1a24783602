internal import CSystemCalls
internal import Synchronization

/// Threads that are bound to one processor, and what they were allowed before.
///
/// A thread inherits what the one that starts it may run on. What a loop's thread starts (name resolution, the threads
/// of Swift's executor, a handler's own) would share that loop's processor while others are idle.
package enum PinnedThreads {
    private struct Pin {
        let processor: Int
        /// The processors that the thread was allowed before.
        let allowed: [Int]
    }

    /// The bound threads, by number.
    private static let pins = Mutex<[Int32: Pin]>([:])

    /// Binds the calling thread, until `unpin`. Returns what the kernel refused with, if it did.
    package static func pin(to processor: Int) -> SystemError? {
        let allowed = Processors.allowed
        let result = ringcast_pin_thread(Int32(processor))
        guard result == 0 else { return SystemError(result) }
        pins.withLock { $0[ringcast_thread_number()] = Pin(processor: processor, allowed: allowed) }
        return nil
    }

    /// Lets the calling thread run where it could before `pin`: what it does from now on is not the bound thread's
    /// work. To be called before a bound thread ends, since its number may be another's then.
    package static func unpin() {
        guard let pin = pins.withLock({ $0.removeValue(forKey: ringcast_thread_number()) }) else { return }
        Processors.restrict(thread: 0, to: pin.allowed)
    }

    /// What the calling thread could run on before it was bound; nil for a thread that is not bound.
    package static var allowedBefore: [Int]? { pins.withLock { $0[ringcast_thread_number()]?.allowed } }

    /// Gives all their processors back to threads that run on the calling one's alone without `pin`: it has started
    /// them, or a thread that it has started has. Costs a system call for each thread of the process.
    package static func freeHeirs() {
        let pins = pins.withLock { $0 }
        guard let own = pins[ringcast_thread_number()], own.allowed.count > 1 else { return }
        for thread in SystemFile.names(in: "/proc/self/task").compactMap({ Int32($0) }) {
            guard pins[thread] == nil, ringcast_runs_only_on(thread, Int32(own.processor)) else { continue }
            Processors.restrict(thread: thread, to: own.allowed)
        }
    }
}
