internal import CIOUring

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
    var flags: ConnectionFlags = []
    var sendQueue: UnsafeMutablePointer<SendQueue>?
    /// Operations that the kernel will still answer; the descriptor is closed when there are none.
    var operationCount: UInt16 = 0
    var listenerIndex: UInt8 = 0
    var disconnectReason: DisconnectReason = .local
    /// Bytes thrown away since this side said that it is done.
    var discardedByteCount: UInt32 = 0
    /// A peer that takes nothing for so long (ms) while bytes wait is cut off; 0 is never.
    var writeStallTimeout: UInt32 = 60_000
    /// When the pace of a peer that is behind was first looked at (ms, the lowest 32 bits); 0: not yet.
    var paceStart: UInt32 = 0
    /// When the peer last took something (ms).
    var lastProgress: UInt64 = 0
    /// What the peer had left to take when it was last looked at.
    var untakenByteCount: UInt32 = 0
    /// What the peer had left to take at `paceStart`.
    var paceByteCount: UInt32 = 0
    /// What the handler keeps for this connection.
    var context: UnsafeMutableRawPointer?
    var heldInput: UnsafeMutablePointer<HeldInput>?
    /// There exactly while `flags` has `.secured`.
    var tls: TLSSession?
    /// The turn that `deliveredByteCount` is of.
    var deliveryTurn: UInt32 = 0
    /// Bytes handed to the handler in that turn.
    var deliveredByteCount: UInt32 = 0
    /// Where the receive buffer begins that is being delivered, for sends that borrow from it.
    var delivery: Delivery?

    init(loop: EventLoop, slot: UInt32) {
        unsafe unmanagedLoop = .passUnretained(loop)
        self.slot = slot
    }

    /// Calls `body` with the loop without retaining it.
    @inline(__always)
    func withLoop<Result>(_ body: (EventLoop) -> Result) -> Result {
        unsafe unmanagedLoop._withUnsafeGuaranteedRef { body($0) }
    }
}

struct ConnectionFlags: OptionSet {
    let rawValue: UInt32

    /// In use: between `opened` and the close of the descriptor.
    static let open = ConnectionFlags(rawValue: 1 << 0)
    /// A multishot receive is armed.
    static let receiving = ConnectionFlags(rawValue: 1 << 1)
    /// That receive has been asked to end.
    static let receiveCanceled = ConnectionFlags(rawValue: 1 << 2)
    /// The handler wants no bytes for now.
    static let paused = ConnectionFlags(rawValue: 1 << 3)
    /// The receive that is armed uses large buffers.
    static let receivingLarge = ConnectionFlags(rawValue: 1 << 18)
    static let prefersLargeBuffers = ConnectionFlags(rawValue: 1 << 4)
    /// Waits for a receive buffer.
    static let starved = ConnectionFlags(rawValue: 1 << 5)
    /// The peer has sent its FIN.
    static let inputEnded = ConnectionFlags(rawValue: 1 << 6)
    /// The handler has been told so.
    static let inputEndReported = ConnectionFlags(rawValue: 1 << 7)
    /// In the list of connections that have something to send at the end of the turn.
    static let dirty = ConnectionFlags(rawValue: 1 << 8)
    /// A batched send was handed over; whether it fell short is known after the next wait.
    static let flushing = ConnectionFlags(rawValue: 1 << 9)
    /// An ordinary send is under way.
    static let sending = ConnectionFlags(rawValue: 1 << 10)
    /// Bytes are left from an earlier flush.
    static let blocked = ConnectionFlags(rawValue: 1 << 11)
    /// `drained` is owed once the queue is empty.
    static let wantsDrain = ConnectionFlags(rawValue: 1 << 12)
    /// In the list of connections whose held input is delivered next turn.
    static let ready = ConnectionFlags(rawValue: 1 << 13)
    /// `close` was called: what is queued goes out, then the FIN.
    static let closing = ConnectionFlags(rawValue: 1 << 14)
    /// The FIN is out; what the peer still sends is thrown away.
    static let lingering = ConnectionFlags(rawValue: 1 << 15)
    /// Over: nothing is delivered or sent any more.
    static let ended = ConnectionFlags(rawValue: 1 << 16)
    /// `closed` has been delivered.
    static let reported = ConnectionFlags(rawValue: 1 << 19)
    /// Held input is of no use any more, but may be under delivery.
    static let dropsHeldInput = ConnectionFlags(rawValue: 1 << 20)
    /// Outbound, and not connected yet.
    static let connecting = ConnectionFlags(rawValue: 1 << 28)
    /// In the list of connections that watch for a write stall.
    static let watchedForStall = ConnectionFlags(rawValue: 1 << 17)
    /// Speaks TLS: `tls` is there.
    static let secured = ConnectionFlags(rawValue: 1 << 21)
    /// Its handshake is under way.
    static let handshaking = ConnectionFlags(rawValue: 1 << 22)
    /// The handler has not heard of it yet: `opened` comes with the end of the handshake.
    static let unannounced = ConnectionFlags(rawValue: 1 << 23)
}

/// Why a connection is over.
public enum DisconnectReason: Hashable, Sendable {
    /// `close` or `abort` was called here.
    case local
    /// The peer closed or reset it.
    case peer
    /// The peer took nothing for the write-stall time while bytes waited.
    case stalled
    /// The kernel reported this errno.
    case error(Int32)
}

/// Names one connection of a loop for logs and tables; another connection gets another name until 2³² have used the
/// slot.
public struct ConnectionID: Hashable, Sendable, CustomStringConvertible {
    let loop: Int
    let slot: UInt32
    let generation: UInt32

    /// Loop, slot and generation: `0:17:3`.
    public var description: String { "\(loop):\(slot):\(generation)" }
}

/// A place in a loop's slab. Keeping one is safe as long as its loop runs: the memory stays, though it may come to hold
/// another connection once `closed` has been delivered.
@safe
@usableFromInline
package struct ConnectionSlot: Hashable {
    @usableFromInline let address: UnsafeMutablePointer<ConnectionState>

    init(_ address: UnsafeMutablePointer<ConnectionState>) { unsafe self.address = unsafe address }

    @usableFromInline package static func == (left: ConnectionSlot, right: ConnectionSlot) -> Bool {
        unsafe left.address == right.address
    }

    @usableFromInline package func hash(into hasher: inout Hasher) { unsafe hasher.combine(address) }

    /// In place: no copy, no reference counting, no exclusivity check; the slab never frees a slot while its loop
    /// lives.
    @inline(__always)
    var state: ConnectionState {
        unsafeAddress { unsafe UnsafePointer(address) }
        nonmutating unsafeMutableAddress { unsafe address }
    }
}
