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
    /// What was agreed on for it.
    var compression = SessionCompression()
}

struct SessionFlags: OptionSet {
    let rawValue: UInt32

    /// Nothing more may be sent: Close was sent or has come, or the connection is being cut.
    static let closing = SessionFlags(rawValue: 1 << 0)
    /// The close handler is running or has run.
    static let closed = SessionFlags(rawValue: 1 << 1)
    static let sentClose = SessionFlags(rawValue: 1 << 2)
    /// To be ended at the end of this turn, without a Close frame.
    static let terminated = SessionFlags(rawValue: 1 << 3)
    /// Backpressure was reported, `drain` is owed.
    static let drainDue = SessionFlags(rawValue: 1 << 4)
    /// A liveness ping is out, nothing has come since.
    static let pinged = SessionFlags(rawValue: 1 << 5)
    /// `data` is being changed: the exclusivity rule for copies of the handle.
    static let dataInUse = SessionFlags(rawValue: 1 << 6)
    /// The server stops: the deadline that is set closes the socket with the server's code.
    static let stopping = SessionFlags(rawValue: 1 << 7)
    /// Its user wants no input for now.
    static let paused = SessionFlags(rawValue: 1 << 8)
    /// As many messages wait for the asynchronous handler as may.
    static let inputFull = SessionFlags(rawValue: 1 << 9)
    /// The peer has said its last; its end waits for the messages before it.
    static let inputOver = SessionFlags(rawValue: 1 << 10)
    /// Reasons not to read.
    static let held: SessionFlags = [.paused, .inputFull, .inputOver, .throttled]
    /// What is sent may be deflated.
    static let deflates = SessionFlags(rawValue: 1 << 11)
    /// What is deflated refers to what was sent before.
    static let keepsContext = SessionFlags(rawValue: 1 << 12)
    /// The peer has said more than `WebSocketOptions.messageRate` allows.
    static let throttled = SessionFlags(rawValue: 1 << 13)
    /// Its messages are counted against that.
    static let metered = SessionFlags(rawValue: 1 << 16)
    /// A client's: its frames are masked.
    static let masks = SessionFlags(rawValue: 1 << 14)
    /// Something waits for the peer since an earlier turn, or there is no room for more: its topics count it so.
    static let behind = SessionFlags(rawValue: 1 << 17)
    /// It is closing, and its topics do not count it any more.
    static let left = SessionFlags(rawValue: 1 << 18)
    /// What comes for the socket waits in its backlog.
    static let backlogged = SessionFlags(rawValue: 1 << 15)
    /// The peer's Close has come.
    static let heardClose = SessionFlags(rawValue: 1 << 19)
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
    /// What waits for a slow socket; nil while nothing does.
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
    /// Compression with a context of its own, from the first compressed message on.
    var deflater: DeflateStream?
    var inflater: InflateStream?
    /// Shared with the references to this socket.
    var lifeline: SocketLifeline?
}
