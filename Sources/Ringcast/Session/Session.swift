import PubSub
import Reactor
import WebSocketProtocol

/// A handle to an open WebSocket's state: one pointer, free to copy, no reference counting.
///
/// Safe by the rule that every user of it keeps: it is used on its loop only, and not after `end`, which frees the
/// memory. References that outlive a handler find it again through the loop's `SessionTable` and its serial number.
@safe @usableFromInline struct Session {
    let state: UnsafeMutablePointer<SessionState>

    init(_ state: UnsafeMutablePointer<SessionState>) { unsafe self.state = state }

    /// - Parameter subscriber: the opaque pointer that a `SubscriptionTable` keeps for a session.
    init(subscriber: UnsafeMutableRawPointer) { unsafe state = subscriber.assumingMemoryBound(to: SessionState.self) }

    var subscriber: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(state) }

    var connection: Connection {
        @_lifetime(immortal)
        get { unsafe Connection(state.pointee.connection) }
    }

    /// Borrows the kind without counting references: it lives as long as its sessions.
    @inline(__always)
    func withKind<Result>(_ body: (SocketKind) -> Result) -> Result {
        unsafe state.pointee.kind._withUnsafeGuaranteedRef(body)
    }

    var loop: SocketLoop { withKind { unsafe $0.loop } }

    /// The memory of the user's data, directly behind the state.
    var data: UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(state) + withKind { $0.layout.dataOffset }
    }

    var serial: UInt64 { unsafe state.pointee.serial }
    var slot: UInt32 { unsafe state.pointee.slot }

    /// Where the socket is in its life; only `enter` changes it.
    var phase: SessionPhase { unsafe state.pointee.phase }

    var traits: SessionTraits {
        get { unsafe state.pointee.traits }
        nonmutating _modify { yield unsafe &state.pointee.traits }
    }

    var flags: SessionFlags {
        get { unsafe state.pointee.flags }
        nonmutating _modify { yield unsafe &state.pointee.flags }
    }

    var holds: HoldReasons {
        get { unsafe state.pointee.holds }
        nonmutating _modify { yield unsafe &state.pointee.holds }
    }

    var memberships: MembershipList {
        get { unsafe state.pointee.memberships }
        nonmutating _modify { yield unsafe &state.pointee.memberships }
    }

    var extras: SessionExtras? { unsafe state.pointee.extras }

    /// The extras, allocated at their first use.
    func makeExtras() -> SessionExtras {
        if let extras = unsafe state.pointee.extras { return extras }
        let extras = SessionExtras()
        unsafe state.pointee.extras = extras
        return extras
    }

    /// Whether messages may still be sent and handled.
    @inline(__always)
    var isOpen: Bool { phase < .closing }

    var readyState: ReadyState {
        switch phase {
        case .open, .stopping: .open
        case .closing, .terminated: .closing
        case .closed: .closed
        }
    }

    /// Moves the socket down the list of phases, never up.
    func enter(_ phase: SessionPhase) { unsafe state.pointee.phase = max(state.pointee.phase, phase) }
}

extension Session {
    /// Makes the state of a connection that has just been upgraded. `initializeData` writes the user's data.
    static func allocate(
        on connection: Connection, kind: SocketKind, role: Role, serial: UInt64, slot: UInt32, path: UInt32,
        now: UInt64,
        initializeData: (UnsafeMutableRawPointer) -> Void
    ) -> Session {
        let layout = kind.layout
        // Safe: the layout leaves room for the state at the start and for the data behind it.
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: layout.byteCount, alignment: layout.alignment)
        let state = unsafe memory.bindMemory(to: SessionState.self, capacity: 1)
        unsafe state.initialize(
            to: SessionState(
                connection: connection.slot, kind: .passUnretained(kind), traits: role == .client ? .masks : [],
                slot: slot, decoder: FrameDecoder(role: role), serial: serial, lastInbound: now, path: path))
        unsafe initializeData(memory + layout.dataOffset)
        kind.sessionCount += 1
        return unsafe Session(state)
    }

    /// Destroys the user's data and the state. Nothing may use the handle afterwards.
    func deallocate() {
        let kind = unsafe state.pointee.kind.takeUnretainedValue()
        kind.handlers.deinitializeData(of: self)
        unsafe kind.loop.paths.release(state.pointee.path)
        unsafe state.deinitialize(count: 1)
        unsafe UnsafeMutableRawPointer(state).deallocate()
        kind.sessionCount -= 1
        if kind.sessionCount == 0 { unsafe kind.loop.forget(kind) }
    }
}
