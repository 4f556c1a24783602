internal import Glibc

/// Time since some moment in the past; never goes back.
package enum MonotonicClock {
    /// Of the coarse clock: a few ms of resolution for a few ns.
    package static var milliseconds: UInt64 { nanoseconds(of: CLOCK_MONOTONIC_COARSE) / 1_000_000 }

    /// Exact, for some 20 ns.
    static var nanoseconds: UInt64 { nanoseconds(of: CLOCK_MONOTONIC) }

    /// The processor time of the calling thread: a system call.
    static var processorNanoseconds: UInt64 { nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) }

    private static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
