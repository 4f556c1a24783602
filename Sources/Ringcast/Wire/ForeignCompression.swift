import Synchronization

/// What threads that are no loops compress with, one at a time.
final class ForeignCompression: Sendable {
    private let compression = Mutex(LoopCompression())
    /// ThreadSanitizer does not see into `Mutex`: the atomic hands it over once more where it can be seen.
    private let handOver = Atomic(0)

    func withLock<Result>(_ body: (borrowing LoopCompression) -> sending Result) -> sending Result {
        compression.withLock { compression in
            _ = handOver.load(ordering: .acquiring)
            defer { handOver.store(0, ordering: .releasing) }
            return body(compression)
        }
    }
}
