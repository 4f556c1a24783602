/// What is done with the connections of one loop. Each loop has a handler of its own and calls it on its own thread, so
/// a handler needs no locks. No call may block: what one costs, all other connections of the loop wait for.
public protocol ConnectionHandler: AnyObject {
    /// A listener that speaks TLS has accepted a connection: whether to shake hands with it. If not, it is cut. By
    /// default every one is accepted.
    ///
    /// What follows is `opened` once the handshake is done, else `abandoned`; nothing can be sent before.
    func accepts(_ connection: Connection) -> Bool

    /// The only further call for a connection that `accepts` was asked about and that was never `opened`: it was
    /// refused, or its handshake failed, took too long, or was cut short.
    func abandoned(_ connection: Connection)

    /// The first call for a connection that was accepted, behind `accepts` where there is TLS.
    func opened(_ connection: Connection)

    /// The first call for an outbound connection: only now may it send. For one that fails `closed` comes instead.
    func connected(_ connection: Connection)

    /// Bytes have come. They lie in the loop's receive buffer and may be changed in place.
    ///
    /// - Returns: how many were consumed, from the front. The rest is kept and comes again in front of the next bytes,
    ///   as one piece. A handler that stops early to be fair to others calls `connection.continueNextTurn()`.
    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int

    /// The peer has not taken all that was sent: from now on the connection `isBlocked`, until its queue is empty. Not
    /// the place to send or to close.
    func blocked(_ connection: Connection)

    /// Everything that was queued has been taken by the kernel. Called after `notifyWhenDrained`.
    func drained(_ connection: Connection)

    /// The peer will send no more; it may still read. By default the connection is closed.
    func inputEnded(_ connection: Connection)

    /// The handshake that `Connection.startTLS` began is done: whom this is can be relied on from here.
    func secured(_ connection: Connection)

    /// The handshake that `Connection.startTLS` began has failed; the text says why. The peer has been told by an
    /// alert, if it listens. The connection is closed behind it, which `closed` tells as always.
    func securingFailed(_ connection: Connection, _ reason: String)

    /// The loop has a line for the log about a connection, which may be one that the handler was not told of. By
    /// default it goes to the group's log, with the peer's address.
    func log(_ level: LogLevel, _ line: String, about connection: Connection)

    /// The time of `Connection.setDeadline(after:)` has come.
    func deadlineReached(_ connection: Connection)

    /// The last call for a connection, once for each that was `opened` or outbound, never from within another call.
    func closed(_ connection: Connection, _ reason: DisconnectReason)

    /// The time of `EventLoop.wakeHandler(after:)` has come.
    func wakeTimeReached()

    /// Everything that the turn brought has been handed over; what was queued leaves after this call.
    func turnEnds()

    /// A loop, this one or another, or a thread has posted a message.
    func received(_ message: ServiceMessage)

    /// A count, going up, of what messages of other loops and threads have led to, such as sends: a message may be the
    /// work of one or of thousands, and a turn takes no more of them once it has risen by 16,384. By default 0.
    var messageWork: UInt64 { get }

    /// The loops were asked to stop: no more connections come. They end once the last connection of all is closed.
    func stopping()
}

extension ConnectionHandler {
    public func accepts(_ connection: Connection) -> Bool { true }
    public func abandoned(_ connection: Connection) {}
    public func opened(_ connection: Connection) {}
    public func connected(_ connection: Connection) {}
    public func blocked(_ connection: Connection) {}
    public func drained(_ connection: Connection) {}
    public func inputEnded(_ connection: Connection) { connection.close() }
    public func log(_ level: LogLevel, _ line: String, about connection: Connection) {
        let peer = connection.remoteAddress.map { " (\($0))" } ?? ""
        connection.slot.state.withLoop { $0.log(level, line + peer) }
    }
    public func deadlineReached(_ connection: Connection) {}
    public func secured(_ connection: Connection) {}
    public func securingFailed(_ connection: Connection, _ reason: String) {}
    public func closed(_ connection: Connection, _ reason: DisconnectReason) {}
    public func wakeTimeReached() {}
    public func turnEnds() {}
    public func received(_ message: ServiceMessage) {}
    public var messageWork: UInt64 { 0 }
    public func stopping() {}
}

/// A few words from one thread to the handler of a loop; what they mean is the handler's business.
@safe
public struct ServiceMessage: @unchecked Sendable {
    // Sendable although it holds pointers: who posts one gives up what they point to, or both sides share it by
    // agreement.
    package var kind: UInt64
    package var first: UnsafeMutableRawPointer?
    /// Memory that waits with the message, in bytes: what the bounds of mailboxes count.
    package var byteCount: Int
    package var number: UInt64

    package init(
        kind: UInt64, first: UnsafeMutableRawPointer? = nil, byteCount: Int = 0, number: UInt64 = 0
    ) {
        self.kind = kind
        unsafe self.first = unsafe first
        self.byteCount = byteCount
        self.number = number
    }
}

/// What travels through a loop's mailbox.
enum MailboxItem: Sendable {
    case service(ServiceMessage)
    /// A connection that another loop accepted for this one.
    case adopt(descriptor: Int32, listener: UInt8)
    /// The loop that sends it has reached a stage on the way to its end.
    case reached(StopStage)

    var byteCount: Int {
        if case .service(let message) = self { message.byteCount } else { 0 }
    }
}
