// Ringcast/HTTP: a server's connection while it speaks HTTP: requests, replies, the way to a socket. Bytes are read and
// written by HTTPProtocol, handshakes judged by WebSocketProtocol; what happens behind a 101 is in `Session/`.
//
// Users meet `Request` and `Reply`. `HTTPExchange` goes from one to the other: `+Receive`, `+Reply`, then `+Deferred`,
// `+Stream`, `+Events` or `+Upgrade`; `+Deadlines` has all its times.

import HTTPProtocol
import HTTPTypes
import Reactor
import WebSocketProtocol

/// A connection while it speaks HTTP/1.1: one request after the other, each answered before the next is looked at. Or
/// a stream of HTTP/2, with its one request.
///
///     head → (body) → fetch → response → head …
///                         ├→ deferred → response → head …
///                         ├→ streaming → head …
///                         └→ upgrade, events: the connection becomes a `Session`
final class HTTPExchange {
    enum Phase {
        /// Between requests, or in the middle of a head.
        case head
        /// In the middle of a body, behind a complete head.
        case body
        /// Waiting for a deferred reply.
        case deferred
        /// In the middle of a streamed answer.
        case streaming
        /// Behind the last answer: what still comes is thrown away.
        case closing

        /// Whether a request has begun, and is not answered.
        var isPending: Bool { self == .body || waitsForTask }

        /// Whether a task of the user's is making the answer. Nothing is read meanwhile, but for a body that it reads
        /// itself, and the client is looked for.
        var waitsForTask: Bool { self == .deferred || self == .streaming }
    }

    unowned let loop: SocketLoop
    /// Whether it is a stream of HTTP/2: for one request, whose answer has its head apart (`HTTP2Carrier`).
    let isStream: Bool
    private(set) var slot: ConnectionSlot?
    /// Where the exchange is in its life. The counter `pendingRequests` follows it, whatever way a phase ends.
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
    /// The deferred reply that is awaited.
    var deferral: Deferral?
    /// The streamed answer under way.
    var stream: BodyStream?
    /// The body that a handler reads as it comes, until it is complete.
    var intake: BodyIntake?
    /// How many bodies were read as they came so far; the last one's number.
    var intakeCount: UInt64 = 0
    /// How many replies were deferred so far; the last one's number.
    var deferralCount: UInt64 = 0
    /// Whether the client has sent all it will send.
    var inputHasEnded = false
    /// Whether requests wait until the client has read its answers.
    var isPausedForOutput = false
    /// When the present phase has lasted too long, in the loop's milliseconds.
    var phaseDeadline: UInt64?
    /// When the connection's deadline fires as it is set, in the loop's milliseconds.
    var armedDeadline: UInt64?
    /// Whether a byte of the head that is awaited has come.
    var headHasBegun = false
    /// Whether a request has been answered and the connection kept.
    var hasAnswered = false

    /// - Parameter bodyFollows: of a stream, whether its request has a body.
    init(loop: SocketLoop, connection: Connection, bodyFollows: Bool = false) {
        self.loop = loop
        isStream = connection.isCarried
        slot = connection.slot
        parser = RequestHeadParser(limits: loop.headLimits, bodyFollows: bodyFollows)
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

    /// Lets go of a connection that has been closed, or has become a socket.
    func detach() {
        slot = nil
        phase = .closing
        endTasks()
    }

    func inputEnded(_ connection: Connection) {
        if isStream { return requestEnds(on: connection) }
        inputHasEnded = true
        close(connection)
    }

    /// Reads a client again that has pipelined without reading, now that it has taken everything queued.
    ///
    /// A streamed body goes on.
    func drained(_ connection: Connection) {
        advanceStream(on: connection)
        guard isPausedForOutput else { return }
        isPausedForOutput = false
        if nextInput != nil { connection.resumeReceiving() }
    }

    /// Begins nothing new, and finishes what is under way, since the server stops. A client that has connected and not
    /// asked yet has a second for its request; all have until the server's deadline, when the loop cuts what is left.
    func stop() {
        guard let connection, phase == .head, !headHasBegun, !isStream else { return }
        if hasAnswered { close(connection) } else { connection.setDeadline(loop.now + Self.timeToAsk) }
    }

    /// How many milliseconds a client that has not asked yet has for it when the server stops.
    private static let timeToAsk: UInt64 = 1_000

    /// Closes. Nothing more is read; what is queued goes out, and what still comes the reactor drains, within bounds.
    func close(_ connection: Connection) {
        phase = .closing
        endTasks()
        connection.close()
    }

    /// Cuts the connection in the middle of an answer, so that nobody takes that for whole: also a client of HTTP/1.0,
    /// for which the end of a connection is the end of the answer.
    func cut(_ connection: Connection) {
        phase = .closing
        endTasks()
        connection.reset()
    }

    /// Cancels what makes an answer that nobody waits for any more.
    private func endTasks() {
        endIntake(.disconnected)
        endDeferral()
        endStream()
    }
}

/// A request that waits for the rest of its body, and so owns what has come.
struct CollectedRequest {
    let head: [UInt8]
    let layout: RequestHeadLayout
    /// The routes that have judged its head: others, which a reload has brought since, judge it again.
    let judge: RouteTable?
    var decoder: BodyDecoder
    var body: [UInt8] = []
}
