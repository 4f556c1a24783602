package import Reactor

/// A value that belongs to one loop, on its way through closures that have to be Sendable.
///
/// `@unchecked Sendable`, because the value is looked at on the loop's thread only: `use` does nothing elsewhere. The
/// last copy may be destroyed on another thread, after the loop has ended.
package struct LoopBound<Value>: @unchecked Sendable {
    private let value: Value
    private let executor: LoopExecutor

    package init(_ value: Value, executor: LoopExecutor) {
        self.value = value
        self.executor = executor
    }

    package func use(_ body: (Value) -> Void) {
        guard executor.isCurrent else { return }
        body(value)
    }
}
