internal import Glibc

/// Nanoseconds since a load began; never goes back. Reading it costs about 20 ns.
package struct LoadClock: Sendable {
    private let origin: UInt64

    package init() { origin = Self.monotonic }

    package var now: UInt64 { Self.monotonic - origin }

    /// Sleeps until a moment of this clock.
    func sleep(until moment: UInt64) {
        let at = origin + moment
        var time = timespec(tv_sec: Int(at / 1_000_000_000), tv_nsec: Int(at % 1_000_000_000))
        // A sleep that a signal interrupts goes on. Safe: the pointer is used during the call only.
        while unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }

    private static var monotonic: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
