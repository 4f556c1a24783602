internal import Glibc

/// Milliseconds since some moment in the past; never goes back. The coarse clock: a few ms of resolution for a few ns.
package enum MonotonicClock {
    package static var milliseconds: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }
}
