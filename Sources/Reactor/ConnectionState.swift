/// Everything a loop knows of one connection: plain words in the loop's slab, so that touching them costs no reference
/// counting.
///
/// A slot outlives its connections; `generation` tells them apart.
@safe
@usableFromInline package struct ConnectionState {
    /// Unmanaged, so that reaching the loop costs no reference counting; the loop outlives its slab.
    private let unmanagedLoop: Unmanaged<EventLoop>
    let slot: UInt32
    /// Counts the lives of the slot; its lowest 24 bits travel in every token.
    var generation: UInt32 = 0
    var descriptor: Int32 = -1
    private(set) var phase = ConnectionPhase.free
    var receive = ReceiveOperation.none
    var send = SendOperation.none
    var input = PeerInput.open
    var sendQueue: UnsafeMutablePointer<SendQueue>?
    var tls: TLSSession?
    var flags: ConnectionFlags = []
    /// Operations that the kernel will still answer, and connections that this one carries; the descriptor is not
    /// closed before there are none.
    var operationCount: UInt16 = 0
    var disconnectReason: DisconnectReason = .local
    var listenerIndex: UInt8 = 0
    /// Of a carried connection: which one it is of those that its carrier has.
    var place: UInt16 = 0
    /// Received bytes thrown away since this side began to close.
    var discardedByteCount: UInt32 = 0
    /// When the peer last took something (ms).
    var lastProgress: UInt64 = 0
    var heldInput: UnsafeMutablePointer<HeldInput>?
    /// What the handler keeps for this connection.
    var context: UnsafeMutableRawPointer?
    /// The turn that `handedByteCount` is of.
    var handedTurn: UInt32 = 0
    /// Bytes handed to the handler in that turn.
    var handedByteCount: UInt32 = 0
    /// A peer that takes nothing for so long (ms) while bytes wait is cut off; 0 is never.
    var writeStallTimeout: UInt32 = 60_000
    /// What the peer had left to take when it was last looked at.
    var untakenByteCount: UInt32 = 0
    /// When the pace of a peer that is behind was first looked at (ms, the lowest 32 bits); 0 before that.
    var paceStart: UInt32 = 0
    /// What the peer had left to take at `paceStart`.
    var paceByteCount: UInt32 = 0

    init(loop: EventLoop, slot: UInt32, generation: UInt32 = 0) {
        unsafe unmanagedLoop = .passUnretained(loop)
        self.slot = slot
        self.generation = generation
    }

    mutating func move(to next: ConnectionPhase) {
        assert(phase.canMove(to: next), "a connection went from \(phase) to \(next)")
        phase = next
    }

    /// Calls `body` with the loop without retaining it.
    @inline(__always)
    func withLoop<Result>(_ body: (EventLoop) -> Result) -> Result {
        unsafe unmanagedLoop._withUnsafeGuaranteedRef { body($0) }
    }
}

/// The part of a receive buffer that the handler is looking at: a connection may borrow from it what came to itself.
struct LentInput: BitwiseCopyable {
    let slot: UInt32
    let buffer: ReceiveBuffer
    let start: UInt
    let end: UInt
}
