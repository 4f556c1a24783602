/// Whether a busy loop waits a little for more work, so that what it leads to leaves in fewer, larger sends.
///
/// Coalescing saves CPU where many connections say something now and then; every message pays with up to the delay. A
/// loop with little to do never waits, and one that peers wait for stops doing so: `docs/performance.md` has figures.
/// Without io_uring or before Linux 6.12 it stays off, and the loops' log says so once.
@nonexhaustive public enum Coalescing: Hashable, Sendable {
    /// A loop handles what there is at once.
    case off
    /// A busy loop waits for more, never longer than `maxDelay`: 1 µs to 100 ms; half a millisecond is a good one.
    case adaptive(maxDelay: Duration)
}

extension Coalescing {
    func checkedMicroseconds() throws(ReactorError) -> UInt32? {
        guard case .adaptive(let delay) = self else { return nil }
        guard delay >= .microseconds(1), delay <= .milliseconds(100) else {
            throw ReactorError("\(delay) is no delay for coalescing: choose 1 microsecond to 100 milliseconds")
        }
        return UInt32(delay.components.attoseconds / 1_000_000_000_000)
    }
}
