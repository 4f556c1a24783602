/// Where a connection is in its life. The order counts: what may be sent on is before `closing`, what has a life at all
/// is before `ended`. docs/ARCHITECTURE.md, "How a connection ends", draws it.
enum ConnectionPhase: UInt8, CaseIterable {
    /// The slot has no connection.
    case free
    /// Outbound, and not connected yet.
    case connecting
    /// A TLS handshake is under way.
    case handshaking
    case open
    /// `close` was called: what is queued goes out, then the FIN.
    case closing
    /// The FIN is out; what the peer still sends is thrown away.
    case lingering
    /// Nothing is handed to the handler or sent any more; its last call is owed.
    case ended
    /// The handler has had its last call; the kernel may still have operations of the connection's.
    case reported

    /// The moves that there are: every other one would be an error of the loop.
    private var next: [ConnectionPhase] {
        switch self {
        case .free: [.connecting, .handshaking, .open]  // connect; open, for a connection that was accepted
        case .connecting: [.open, .ended]  // connectEnded; end
        case .handshaking: [.open, .closing, .ended]  // handshakeDone; close; end
        case .open: [.handshaking, .closing, .ended]  // startTLS; close; end
        case .closing: [.lingering, .ended]  // finishWriting; end
        case .lingering: [.ended]  // end
        case .ended: [.reported]  // reportEnded
        case .reported: [.free]  // closeIfIdle
        }
    }

    func canMove(to phase: ConnectionPhase) -> Bool { next.contains(phase) }
}

extension ConnectionPhase: Comparable {
    @inline(__always)
    static func < (left: ConnectionPhase, right: ConnectionPhase) -> Bool { left.rawValue < right.rawValue }
}

/// What the kernel has been asked to receive.
enum ReceiveOperation: UInt8 {
    case none
    /// No operation, since there was no buffer: the connection is in the loop's list `starved`.
    case starved
    /// A receive that goes on is armed.
    case armed
    /// The armed receive has been asked to end.
    case ending
    /// The connection has no descriptor: its carrier hands it what comes.
    case carried
}

/// What the kernel has been asked to send. One operation at a time: a second one could overtake what the first one
/// leaves.
enum SendOperation: UInt8 {
    case none
    /// A batched send was handed over; whether it fell short is known after the next wait.
    case batched
    /// An ordinary send is under way.
    case ordinary
    /// The connection has no descriptor: its carrier takes what is queued.
    case carried
}

/// What the peer may still say.
enum PeerInput: UInt8 {
    case open
    /// The peer has sent its FIN.
    case ended
    /// The handler has been told of the FIN.
    case endReported
}

/// What is true of a connection in several phases, each independent of the others.
struct ConnectionFlags: OptionSet {
    let rawValue: UInt16

    /// The handler wants no bytes for now.
    static let paused = ConnectionFlags(rawValue: 1 << 0)
    static let prefersLargeBuffers = ConnectionFlags(rawValue: 1 << 1)
    /// Bytes are left from an earlier flush.
    static let blocked = ConnectionFlags(rawValue: 1 << 2)
    /// `drained` is owed once the queue is empty.
    static let wantsDrain = ConnectionFlags(rawValue: 1 << 3)
    /// The handler has only been asked `accepts`: `opened` comes with the end of the handshake, else `abandoned`.
    static let unannounced = ConnectionFlags(rawValue: 1 << 4)
    /// In the loop's list `dirty`: something is to be sent at the end of the turn.
    static let dirty = ConnectionFlags(rawValue: 1 << 5)
    /// In the loop's list `ready`: held input has its go in the next turn.
    static let ready = ConnectionFlags(rawValue: 1 << 6)
    /// In the loop's list `watchedForStall`.
    static let watchedForStall = ConnectionFlags(rawValue: 1 << 7)
    /// The kernel has been asked to connect, and has not answered.
    static let connects = ConnectionFlags(rawValue: 1 << 8)
    /// In the loop's list `gathering`.
    static let gathers = ConnectionFlags(rawValue: 1 << 9)
}
