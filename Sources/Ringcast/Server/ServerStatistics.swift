public import Reactor

/// What a server, or one of its loops, has done since it was made. Read without locks: a loop publishes its figures
/// once per turn.
public struct ServerStatistics: Sendable {
    /// How the loop talks to the kernel; nil in a sum of nothing.
    public var driver: DriverKind?
    /// Open WebSockets now.
    public var sockets = 0
    /// Open connections now, of any kind.
    public var connections = 0
    /// Whole messages received, not control frames.
    public var messagesIn = 0
    /// Those among `messagesIn` that no handler got, since they were over `WebSocketOptions.messageRate`
    /// (`MessageRateLimit.Excess.reply`).
    public var messagesOverRate = 0
    /// Messages queued for sockets, those of topics among them.
    public var messagesOut = 0
    /// Bytes received, of any kind.
    public var bytesIn = 0
    /// Bytes that the kernel has taken, of any kind.
    public var bytesOut = 0
    /// Messages published. Those of threads other than loops are counted at the first loop.
    public var publishes = 0
    /// Frames encoded by publishes on loops: one for each that has subscribers, on however many loops they are.
    public var framesEncoded = 0
    /// Messages deflated, those of topics once for each class of windows that subscribers have agreed on. What threads
    /// other than loops deflate is counted at the first loop.
    public var framesDeflated = 0
    /// Messages of topics queued for subscribers.
    public var deliveries = 0
    /// Messages dropped because the socket's queue was at its limit. Every message of a topic is, once per subscriber,
    /// a delivery or a drop; on the publisher's loop also once per socket that is closing.
    public var dropsAtLimit = 0
    /// Messages dropped because the socket was closed.
    public var dropsClosed = 0
    /// Messages dropped because a loop's lane was full, once per subscriber there.
    public var dropsInLanes = 0
    /// Messages of topics that waited and made room for newer ones: `SlowConsumerPolicy.dropOldest`.
    public var dropsEvicted = 0
    /// Messages of topics that waited and were replaced by a newer one of their topic: `SlowConsumerPolicy.latest`.
    public var dropsSuperseded = 0
    /// TLS handshakes that were done.
    public var handshakes = 0
    /// Those among `handshakes` that went on with an earlier TLS session.
    public var resumptions = 0
    /// TLS handshakes that failed, were given up by the client, or took too long.
    public var handshakeFailures = 0
    /// Send operations: fewer than messages, when many leave together.
    public var sendSubmissions = 0
    /// Turns of the loops.
    public var loopTurns = 0
    /// Messages of other loops and threads that wait now.
    public var mailboxDepth = 0

    /// Figures that are all zero: where a sum begins.
    public init() {}

    /// Sums two loops' figures.
    public static func + (left: ServerStatistics, right: ServerStatistics) -> ServerStatistics {
        var sum = left
        sum.driver = left.driver ?? right.driver
        sum.sockets += right.sockets
        sum.connections += right.connections
        sum.messagesIn += right.messagesIn
        sum.messagesOverRate += right.messagesOverRate
        sum.messagesOut += right.messagesOut
        sum.bytesIn += right.bytesIn
        sum.bytesOut += right.bytesOut
        sum.publishes += right.publishes
        sum.framesEncoded += right.framesEncoded
        sum.framesDeflated += right.framesDeflated
        sum.deliveries += right.deliveries
        sum.dropsAtLimit += right.dropsAtLimit
        sum.dropsClosed += right.dropsClosed
        sum.dropsInLanes += right.dropsInLanes
        sum.dropsEvicted += right.dropsEvicted
        sum.dropsSuperseded += right.dropsSuperseded
        sum.handshakes += right.handshakes
        sum.resumptions += right.resumptions
        sum.handshakeFailures += right.handshakeFailures
        sum.sendSubmissions += right.sendSubmissions
        sum.loopTurns += right.loopTurns
        sum.mailboxDepth += right.mailboxDepth
        return sum
    }
}
