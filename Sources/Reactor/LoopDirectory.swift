internal import Synchronization
internal import SystemCalls

/// The way to each loop of a group, for every thread: written once and then only read, so that threads which wake loops
/// wait for no lock, and write to nothing that others read.
// Sendable: `set` writes the entries and then publishes them, and what is published is never changed.
@safe final class LoopDirectory: @unchecked Sendable {
    private let entries = unsafe Atomic<UnsafeMutablePointer<DriverAddress>?>(nil)
    /// Written before `entries`, read behind it.
    private var count = 0

    deinit {
        guard let entries = unsafe entries.load(ordering: .acquiring) else { return }
        unsafe entries.deinitialize(count: count)
        unsafe entries.deallocate()
    }

    /// Called once.
    func set(_ addresses: [DriverAddress]) {
        precondition(unsafe entries.load(ordering: .relaxed) == nil, "the loops have their addresses")
        let memory = UnsafeMutablePointer<DriverAddress>.allocate(capacity: addresses.count)
        for (index, address) in addresses.enumerated() { unsafe (memory + index).initialize(to: address) }
        count = addresses.count
        unsafe entries.store(memory, ordering: .releasing)
    }

    /// All of them, copied; none before `set`.
    var addresses: [DriverAddress] {
        guard let entries = unsafe entries.load(ordering: .acquiring) else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: entries, count: count))
    }

    /// Ends the wait of a loop, if it is there. Any thread. Costs a system call, and counts no reference: those counts
    /// lie on lines that all threads would write to.
    func wake(_ loop: Int) {
        guard let entries = unsafe entries.load(ordering: .acquiring), loop < count else { return }
        unsafe entries[loop].wakeUp.ring()
    }
}
