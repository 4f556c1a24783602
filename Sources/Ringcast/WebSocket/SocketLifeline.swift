import Synchronization

/// What the references to one socket share with it: where it is, and whether it is still there. From any thread.
final class SocketLifeline: Sendable {
    let core: SocketCore
    let loop: Int
    let slot: UInt32
    let serial: UInt64
    private let state = Atomic<State>(.open)

    enum State: UInt8, AtomicRepresentable {
        case open
        /// The socket was behind when a reference last sent to it, so that what is sent queues up.
        case blocked
        case closed
    }

    init(core: SocketCore, loop: Int, slot: UInt32, serial: UInt64) {
        self.core = core
        self.loop = loop
        self.slot = slot
        self.serial = serial
    }

    var current: State { state.load(ordering: .acquiring) }

    // Called by the socket's loop.
    func block() { replace(.open, by: .blocked) }
    func drained() { replace(.blocked, by: .open) }
    func close() { state.store(.closed, ordering: .releasing) }

    private func replace(_ old: State, by new: State) {
        _ = state.compareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing)
    }
}

extension Session {
    /// The socket's lifeline, made with the first reference to it.
    var lifeline: SocketLifeline {
        let extras = makeExtras()
        if let lifeline = extras.lifeline { return lifeline }
        let lifeline = SocketLifeline(core: loop.core, loop: loop.eventLoop.index, slot: slot, serial: serial)
        if phase == .closed { lifeline.close() }
        extras.lifeline = lifeline
        return lifeline
    }
}
