/// When messages are to be sent, at a fixed rate, whatever comes back.
///
/// Arrivals at high rates are put together into ticks, at most 10,000 of them a second, since nobody can be woken for
/// each; all of a tick are due at its time.
package struct OpenLoopSchedule: Sendable {
    /// Messages per second.
    package let rate: Double
    /// Nanoseconds from tick to tick.
    package let tick: UInt64
    private let start: UInt64
    private var ticks: UInt64 = 0
    private var sent: UInt64 = 0

    /// - Parameter start: nanoseconds; the first tick is one tick after it.
    package init(rate: Double, start: UInt64, shortestTick: UInt64 = 100_000) {
        self.rate = rate
        self.start = start
        tick = max(UInt64(1e9 / rate), shortestTick)
    }

    /// The next tick that is due by `now`: when its messages were to be sent, and how many they are; nil where none
    /// is due. To be called until it gives nil, so that ticks that were missed are made up for.
    package mutating func due(by now: UInt64) -> (intended: UInt64, count: Int)? {
        let next = start + (ticks + 1) * tick
        guard next <= now else { return nil }
        ticks += 1
        let target = UInt64(Double(next - start) * rate / 1e9 + 1e-6)
        let count = target - sent
        sent = target
        return (next, Int(count))
    }

    /// How many messages were due by `now`, and have not been asked for.
    package func overdue(at now: UInt64) -> Int {
        guard now > start else { return 0 }
        let due = UInt64(Double((now - start) / tick * tick) * rate / 1e9 + 1e-6)
        return due > sent ? Int(due - sent) : 0
    }

    /// The moment of the next tick.
    package var next: UInt64 { start + (ticks + 1) * tick }
}
