internal import Synchronization

/// A clock that goes on when the test says so.
package final class VirtualClock: Sendable {
    private let time: Atomic<UInt64>
    private let actCount = Atomic(0)

    package init(milliseconds: UInt64 = 1_000_000) { time = Atomic(milliseconds) }

    package var milliseconds: UInt64 { time.load(ordering: .relaxed) }

    /// How often something has been done by anybody who lives in this time: only then a loop may have been rung.
    package var acts: Int { actCount.load(ordering: .relaxed) }

    /// Something is done by a loop, or by a thread that is none.
    package func noteAct() { actCount.wrappingAdd(1, ordering: .relaxed) }

    package func advance(_ milliseconds: UInt64) { time.wrappingAdd(milliseconds, ordering: .relaxed) }
}
