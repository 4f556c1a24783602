internal import Synchronization

/// A clock that goes on when the test says so.
package final class VirtualClock: Sendable {
    private let time: Atomic<UInt64>

    package init(milliseconds: UInt64 = 1_000_000) { time = Atomic(milliseconds) }

    package var milliseconds: UInt64 { time.load(ordering: .relaxed) }

    package func advance(_ milliseconds: UInt64) { time.wrappingAdd(milliseconds, ordering: .relaxed) }
}
