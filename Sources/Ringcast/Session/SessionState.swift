// Ringcast/Session: the life of one open WebSocket, a server's or a client's, on its loop. `SessionState` is its
// memory, `Session` the handle to that, each `Session+X.swift` a part of its life. What topics bring is in `Topics/`,
// how a frame is written in `Wire/`, what users call in `WebSocket/`.

import Logging
import PubSub
import Reactor
import WebSocketProtocol

/// What one open WebSocket costs beside its connection, in memory that is freed when the close handler has run. A test
/// pins its size: an idle server is mostly these.
@safe struct SessionState: ~Copyable {
    // What a fan-out looks at for every subscriber comes first, so that it lies together.
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
    /// The number by which references find the socket, never used again on this loop.
    let serial: UInt64
    /// When bytes last came, in the loop's milliseconds.
    var lastInbound: UInt64
    var extras: SessionExtras?
    var memberships = MembershipList.empty
    /// When the window began that `controlFrames` came in, in the loop's seconds.
    var controlWindow: UInt32 = 0
    var controlFrames: UInt32 = 0
    /// Small receives until the connection goes back to small buffers; 0 while it uses them.
    var largeBufferTurns: UInt8 = 0
    /// Why the socket is not read; empty while it is.
    var holds: HoldReasons = []
    /// What the handshake agreed on.
    var compression = SessionCompression()
    /// Where the loop's `PathTable` has the path that was asked for.
    let path: UInt32
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

    /// This end is a client: the frames that it sends are masked.
    static let masks = SessionTraits(rawValue: 1 << 0)
    /// Messages that are sent may be deflated.
    static let deflates = SessionTraits(rawValue: 1 << 1)
    /// Deflated messages refer to those sent before.
    static let keepsContext = SessionTraits(rawValue: 1 << 2)
    /// The peer's messages are counted against `WebSocketOptions.messageRate`.
    static let metered = SessionTraits(rawValue: 1 << 3)
    /// No WebSocket, but a stream of server-sent events: `Session+Events.swift`.
    static let events = SessionTraits(rawValue: 1 << 4)
    /// Topics' frames are not sent as they are shared: `masks` or `events`.
    static let rewrites = SessionTraits(rawValue: 1 << 0 | 1 << 4)
}

/// What is true of a socket at times, each independent of the others and of the phase.
struct SessionFlags: OptionSet {
    let rawValue: UInt8

    /// The socket has a backlog, behind which all that is sent to it waits.
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

    /// The user has paused it.
    static let paused = HoldReasons(rawValue: 1 << 0)
    /// As many messages wait for the asynchronous handler as may.
    static let inboxFull = HoldReasons(rawValue: 1 << 1)
    /// The peer has ended its side, which waits for the messages before it to be handled.
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
    /// Bytes that the kernel held for the peer when the liveness ping left.
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
    /// When a throttled peer is read again, in the loop's milliseconds.
    var throttledUntil: UInt64?
    /// The messages that wait for the asynchronous message handler.
    var inbox: MessageInbox?
    /// The tasks that `WebSocket.task` has started and that are not done.
    var tasks: SocketTasks?
    /// The configuration's logger, with what tells this socket from others.
    var logger: Logger?
    /// The socket's own compressor, if it keeps a context, from the first compressed message on; likewise `inflater`.
    var deflater: DeflateStream?
    var inflater: InflateStream?
    /// What the socket has subscribed to topics as.
    var identities: [Topic: String] = [:]
    /// Topics whose history has been asked for, since what is known here does not reach back far enough.
    var resuming: [Topic: ResumingSubscription] = [:]
    /// Shared with the references to this socket.
    var lifeline: SocketLifeline?
}
