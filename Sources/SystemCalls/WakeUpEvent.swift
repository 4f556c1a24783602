internal import CSystemCalls
internal import Glibc

/// What any thread rings to end a loop's wait: an eventfd.
///
/// The event lives until nobody is left who could ring it, which may be after its loop: a late ring must not reach
/// whatever file has been given the same number since.
@safe
package final class WakeUpEvent: @unchecked Sendable {
    // Sendable although it holds a pointer: only the io_uring of the loop's driver writes through it.
    package let descriptor: Int32
    /// Where an io_uring reads the eventfd's count to; the event's memory, since a read may be under way until its end.
    package let count = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)

    package init() throws(SystemError) {
        descriptor = ringcast_eventfd()
        unsafe count.initialize(to: 0)
        guard descriptor >= 0 else { throw SystemError(-descriptor) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        unsafe count.deallocate()
    }

    /// Whether somebody has rung since the rings were last taken.
    package var isRung: Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe Glibc.poll(&poll, 1, 0) == 1
    }

    /// Forgets the rings so far.
    package func takeRings() {
        guard isRung else { return }
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
    }

    /// Ends the present wait, or the next one.
    package func ring() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }
}
