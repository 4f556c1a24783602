import Logging
import PubSub
import Reactor
import WebSocketProtocol

/// What one open WebSocket costs beside its connection. Lives in memory of its own, freed when the close handler has
/// run.
///
/// Its size is pinned by a test: an idle server is mostly these.
@safe struct SessionState: ~Copyable {
    // First what a fan-out looks at for every subscriber, so that it lies together.
    let connection: ConnectionSlot
    /// Kept alive by the loop as long as it has sessions.
    let kind: Unmanaged<SocketKind>
    var phase = SessionPhase.open
    var standing = Standing.keepsUp
    var traits: SessionTraits
    var flags: SessionFlags = []
    /// Where the loop's `SessionTable` has it.
    let slot: UInt32
    var decoder: FrameDecoder
    /// Never used again on this loop: what references compare.
    let serial: UInt64
    /// When bytes last came, in the loop's milliseconds.
    var lastInbound: UInt64
    /// What few sockets need.
    var extras: SessionExtras?
    var memberships = MembershipList.empty
    /// When the window began that `controlFrames` came in (the loop's seconds).
    var controlWindow: UInt32 = 0
    var controlFrames: UInt32 = 0
    /// Small receives until the connection goes back to small buffers; 0: it uses them.
    var largeBufferTurns: UInt8 = 0
    /// Why the socket is not read; empty: it is.
    var holds: HoldReasons = []
    /// What was agreed on for it.
    var compression = SessionCompression()
}

/// One allocation per socket: the engine's state, and behind it the user's data.
struct SessionLayout {
    let dataOffset: Int
    let byteCount: Int
    let alignment: Int

    init<ConnectionData>(dataOf type: ConnectionData.Type) {
        alignment = max(MemoryLayout<SessionState>.alignment, MemoryLayout<ConnectionData>.alignment)
        let mask = MemoryLayout<ConnectionData>.alignment - 1
        dataOffset = (MemoryLayout<SessionState>.size + mask) & ~mask
        byteCount = dataOffset + MemoryLayout<ConnectionData>.size
    }
}

/// Where a socket is in its life. It only ever moves down this list; docs/ARCHITECTURE.md draws what moves it.
enum SessionPhase: UInt8, Comparable {
    /// Messages go both ways.
    case open
    /// Messages still go both ways, but the server stops: the deadline that is set closes the socket with its code.
    case stopping
    /// This side's Close is queued, or in answer to the peer's; nothing more may be sent. The peer's is waited for.
    case closing
    /// To be cut at the end of this turn, without a Close frame.
    case terminated
    /// The close handler is running or has run.
    case closed

    static func < (left: SessionPhase, right: SessionPhase) -> Bool { left.rawValue < right.rawValue }
}

/// What a socket is for all of its life, decided by its handshake and its options.
struct SessionTraits: OptionSet {
    let rawValue: UInt8

    /// A client's: its frames are masked.
    static let masks = SessionTraits(rawValue: 1 << 0)
    /// What is sent may be deflated.
    static let deflates = SessionTraits(rawValue: 1 << 1)
    /// What is deflated refers to what was sent before.
    static let keepsContext = SessionTraits(rawValue: 1 << 2)
    /// Its messages are counted against `WebSocketOptions.messageRate`.
    static let metered = SessionTraits(rawValue: 1 << 3)
}

/// What is true of a socket at times, each independent of the others and of the phase.
struct SessionFlags: OptionSet {
    let rawValue: UInt8

    /// What comes for the socket waits in its backlog.
    static let backlogged = SessionFlags(rawValue: 1 << 0)
    /// Backpressure was reported, `drain` is owed.
    static let drainDue = SessionFlags(rawValue: 1 << 1)
    /// A liveness ping is out, nothing has come since.
    static let pinged = SessionFlags(rawValue: 1 << 2)
    /// `data` is being changed: the exclusivity rule for copies of the handle.
    static let dataInUse = SessionFlags(rawValue: 1 << 3)
    /// The peer's Close has come: without it no end is normal.
    static let heardClose = SessionFlags(rawValue: 1 << 4)
}

/// Reasons not to read a socket; it is read again when none is left.
struct HoldReasons: OptionSet {
    let rawValue: UInt8

    /// Its user wants no input for now.
    static let paused = HoldReasons(rawValue: 1 << 0)
    /// As many messages wait for the asynchronous handler as may.
    static let inboxFull = HoldReasons(rawValue: 1 << 1)
    /// The peer has said its last; its end waits for the messages before it.
    static let peerEnded = HoldReasons(rawValue: 1 << 2)
    /// The peer has said more than `WebSocketOptions.messageRate` allows.
    static let throttled = HoldReasons(rawValue: 1 << 3)
}

/// What few sockets need, allocated when first used.
final class SessionExtras {
    var subprotocol: String?
    /// The newest pong, for which there was no room.
    var pendingPong: [UInt8]?
    /// When the liveness ping left, in the loop's milliseconds.
    var pingSent: UInt64?
    /// Bytes that the kernel held for the peer when it left.
    var untakenAtPing = 0
    var roundTrip: Duration?
    /// What waits behind the send queue of a slow socket; nil while nothing does.
    var backlog: Backlog?
    /// What a rule of this endpoint, and not its user, has closed the socket with.
    var ownEnding: (CloseCode, reason: String)?
    /// When the socket closes for its age, in the loop's milliseconds.
    var lifetimeEnd: UInt64?
    /// What the peer may still say, if that is bounded.
    var meter: MessageMeter?
    /// When it is read again, in the loop's milliseconds.
    var throttledUntil: UInt64?
    /// What waits for the asynchronous message handler.
    var inbox: MessageInbox?
    /// What `WebSocket.task` has started and is not done.
    var tasks: SocketTasks?
    /// The configuration's logger, with what tells this socket from others.
    var logger: Logger?
    /// Compression with a context of its own, from the first compressed message on.
    var deflater: DeflateStream?
    var inflater: InflateStream?
    /// Shared with the references to this socket.
    var lifeline: SocketLifeline?
}
