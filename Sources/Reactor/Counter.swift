internal import Synchronization

/// A number that a loop counts and any thread may read, which costs a load, in the memory of whoever holds it.
public struct LoopCounter: ~Copyable, Sendable {
    private let storage = Atomic<Int>(0)

    init() {}

    /// The number at this moment. Any thread; one load.
    public var value: Int { storage.load(ordering: .relaxed) }

    /// For a counter that one thread alone writes: two plain instructions.
    @inline(__always)
    package func add(_ amount: Int) {
        storage.store(storage.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    /// For a counter that several threads write, by each of them.
    package func addShared(_ amount: Int) {
        storage.wrappingAdd(amount, ordering: .relaxed)
    }
}

/// A number that any thread may read, which costs a load, in memory of its own.
package final class Counter: Sendable {
    private let counter = LoopCounter()

    /// Starts at 0.
    package init() {}

    /// The number at this moment. Any thread; one load.
    package var value: Int { counter.value }

    /// For a counter that one thread alone writes: two plain instructions.
    @inline(__always)
    package func add(_ amount: Int) { counter.add(amount) }

    /// For a counter that several threads write, by each of them.
    package func addShared(_ amount: Int) { counter.addShared(amount) }
}
