import Synchronization

/// What the references to one socket share with it: where it is, and whether it is still there. Any thread.
final class SocketLifeline: Sendable {
    let core: SocketCore
    let loop: Int
    let slot: UInt32
    let serial: UInt64
    let subprotocol: String?
    private let state: Atomic<State>

    enum State: UInt8, AtomicRepresentable {
        case open
        /// The socket was behind when a reference last sent to it, so that what is sent queues up.
        case blocked
        /// A Close was sent or has come, or the socket is about to be cut.
        case closing
        case closed
    }

    /// Made on the socket's loop.
    fileprivate init(_ session: Session, subprotocol: String?) {
        let loop = session.loop
        core = loop.core
        self.loop = loop.eventLoop.index
        slot = session.slot
        serial = session.serial
        self.subprotocol = subprotocol
        state = Atomic(session.phase == .closed ? .closed : session.isOpen ? .open : .closing)
    }

    var current: State { state.load(ordering: .acquiring) }

    // Called by the socket's loop.
    func block() { replace(.open, by: .blocked) }
    func drained() { replace(.blocked, by: .open) }
    func beginClosing() {
        replace(.open, by: .closing)
        replace(.blocked, by: .closing)
    }
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
        let lifeline = SocketLifeline(self, subprotocol: extras.subprotocol)
        extras.lifeline = lifeline
        return lifeline
    }
}
