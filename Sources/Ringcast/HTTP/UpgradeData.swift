import Synchronization

/// What `ws.data` starts as, with its type erased, on its way from whoever made the upgrade to the session.
protocol UpgradeData: Sendable {
    /// Whether the data may be given now: once, or as often as one likes where there is nothing to be shared.
    func take() -> Bool
    /// Writes the data where the session has room for it.
    func initialize(_ memory: UnsafeMutableRawPointer)
}

// Sendable: the data was sent into this object, and leaves it for one socket only, which `take` sees to.
final class TypedUpgradeData<ConnectionData>: UpgradeData, @unchecked Sendable {
    private let data: ConnectionData
    private let isTaken = Atomic<Bool>(false)

    init(_ data: ConnectionData) { self.data = data }

    func take() -> Bool {
        MemoryLayout<ConnectionData>.size == 0 || !isTaken.exchange(true, ordering: .acquiringAndReleasing)
    }

    func initialize(_ memory: UnsafeMutableRawPointer) {
        // Safe: the session's layout is that of the handlers of the same type.
        unsafe memory.initializeMemory(as: ConnectionData.self, to: data)
    }
}
