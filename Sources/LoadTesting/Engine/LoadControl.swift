import Synchronization

/// How a running load is told to stop, from any thread, also from a signal handler.
package final class LoadControl: Sendable {
    private let stopped = Atomic<Bool>(false)

    package init() {}

    package var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// What was measured so far is kept.
    package func stop() { stopped.store(true, ordering: .releasing) }
}
