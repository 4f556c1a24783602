internal import Synchronization

/// How many values fell into each class, and their sum. Written by one thread with plain instructions, readable from
/// any at any time.
public final class LoopHistogram: Sendable {
    /// A look at a histogram. The count of all values is that of `counts` together, whatever was added meanwhile.
    public struct Reading: Hashable, Sendable {
        /// Values of each class, the open one last.
        public let counts: [Int]
        /// The sum of the values.
        public let sum: Int
    }

    /// The highest value of each class, in ascending order; one more class is open.
    public let bounds: [Int]
    private static let mostBounds = 19
    /// So that what a loop writes each turn is on no line of another loop's.
    private let roomBefore = CacheLine()
    private let counts = InlineArray<20, Atomic<Int>> { _ in Atomic(0) }
    private let sum = Atomic<Int>(0)
    private let roomBehind = CacheLine()

    init(bounds: [Int]) {
        precondition(bounds.count <= Self.mostBounds)
        self.bounds = bounds
    }

    /// Counts a value, or several of the same. Costs a few comparisons where small values are the usual ones.
    func record(_ value: Int, times: Int = 1) {
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        counts[index].store(counts[index].load(ordering: .relaxed) &+ times, ordering: .relaxed)
        sum.store(sum.load(ordering: .relaxed) &+ value &* times, ordering: .relaxed)
    }

    /// What was counted so far. Any thread; one load per class.
    public var reading: Reading {
        Reading(
            counts: (0...bounds.count).map { counts[$0].load(ordering: .relaxed) }, sum: sum.load(ordering: .relaxed))
    }
}
