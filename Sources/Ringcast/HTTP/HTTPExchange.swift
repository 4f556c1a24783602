import HTTPProtocol
import HTTPTypes
import Reactor
import WebSocketProtocol

/// A connection while it speaks HTTP/1.1: one request after the other, each answered before the next is looked at.
///
///     head → (body) → fetch → response → head …
///                         ├→ deferred → response → head …
///                         └→ upgrade: the connection becomes a `Session`
final class HTTPExchange {
    enum Phase {
        /// Between requests, or in the middle of a head.
        case head
        case body
        /// A deferred reply is awaited.
        case deferred
        /// The last answer is out; what still comes is thrown away.
        case closing

        /// A request that has begun, and is not answered.
        var isPending: Bool { self == .body || self == .deferred }
    }

    unowned let loop: SocketLoop
    private(set) var slot: ConnectionSlot?
    /// `pendingRequests` follows it, whatever way a phase ends.
    var phase = Phase.head {
        didSet {
            guard phase.isPending != oldValue.isPending else { return }
            if phase.isPending {
                unsafe loop.counters.pointee.pendingRequests += 1
            } else {
                unsafe loop.counters.pointee.pendingRequests -= 1
            }
        }
    }
    var parser: RequestHeadParser
    /// A request whose body has not come with its head.
    var collected: CollectedRequest?
    /// The reply that is awaited.
    var deferral: Deferral?
    /// Counts them: what comes after its deadline is told from what the next request waits for.
    var deferralCount: UInt64 = 0
    /// The peer has sent all it will send.
    var inputHasEnded = false
    var isPausedForOutput = false
    /// When the present phase is too long, in the loop's milliseconds, and for when the connection's deadline is set.
    var phaseDeadline: UInt64?
    var armedDeadline: UInt64?
    /// A byte of the head that is awaited has come.
    var headHasBegun = false
    /// A request has been answered and the connection kept.
    var hasAnswered = false

    init(loop: SocketLoop, connection: Connection) {
        self.loop = loop
        slot = connection.slot
        parser = RequestHeadParser(limits: loop.requestLimits)
    }

    /// The connection; nil once it is closed or has become a socket. Safe: `detach` comes before the reactor's memory
    /// goes.
    var connection: Connection? {
        @_lifetime(immortal)
        get {
            guard let slot else { return nil }
            return Connection(slot)
        }
    }

    /// The connection has been closed, or has become a socket.
    func detach() {
        slot = nil
        phase = .closing
        endDeferral()
    }

    func inputEnded(_ connection: Connection) {
        inputHasEnded = true
        close(connection)
    }

    /// Everything queued has been taken: a client that pipelines without reading is read again.
    func drained(_ connection: Connection) {
        guard isPausedForOutput else { return }
        isPausedForOutput = false
        if phase != .deferred { connection.resumeReceiving() }
    }

    /// The server stops: what is under way is finished, nothing new is begun. A client that has connected and not asked
    /// yet has a second for its request; all have until the server's deadline, when the loop cuts what is left.
    func stop() {
        guard let connection, phase == .head, !headHasBegun else { return }
        if hasAnswered { close(connection) } else { connection.setDeadline(loop.now + Self.timeToAsk) }
    }

    /// Milliseconds.
    private static let timeToAsk: UInt64 = 1_000

    /// Nothing more is read. What is queued goes out, and what still comes is drained by the reactor, within bounds.
    func close(_ connection: Connection) {
        phase = .closing
        endDeferral()
        connection.close()
    }
}

/// A request that is waiting for the rest of its body, and so has to own what has come.
struct CollectedRequest {
    let head: [UInt8]
    let layout: RequestHeadLayout
    var decoder: BodyDecoder
    var body: [UInt8] = []
    let since: UInt64
}
