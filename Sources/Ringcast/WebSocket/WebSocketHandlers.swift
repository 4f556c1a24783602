public import PubSub
public import WebSocketProtocol

/// One kind of socket: what happens on its events, and its limits. Declared once, used for any number of connections.
///
/// Every handler runs on the loop that owns the connection, one at a time per loop; what they share within a connection
/// (`ws.data`) needs no lock. None may block. Everything a handler sends leaves together at the end of the loop's turn.
/// A handler that throws hands the error to `error` and closes the socket with 1011, unless `error` closed it
/// otherwise.
public struct WebSocketHandlers<ConnectionData>: Sendable {
    /// The socket that handlers are lent.
    public typealias Socket = WebSocket<ConnectionData>

    /// Limits and timeouts of these sockets.
    public let options: WebSocketOptions
    let typed: TypedHandlers<ConnectionData>

    /// Handlers that return at once. At least one has to be given, and the options have to make sense: else it traps.
    /// - Parameters:
    ///   - options: limits and timeouts.
    ///   - open: the handshake is done. The first handler that a socket sees.
    ///   - message: a whole message has come. It is borrowed: `message.string` and `message.bytes` copy it.
    ///   - drain: after a send reported backpressure, everything queued has been taken by the kernel.
    ///   - close: the socket is closed. The last handler, called exactly once. The code is that of the peer's Close
    ///     frame, 1005 if it carried none, 1006 if no Close came. Where this side has ended the socket by a rule (1001
    ///     for silence, age or its stop, 1002, 1007, 1008, 1009, 1011, 1013) it is the code that this side sent,
    ///     whatever the peer answered. Each of these codes may be handed to another socket's `close`. Publishing still
    ///     works; subscriptions end when it returns.
    ///   - ping: a ping has come; its pong has already been queued.
    ///   - pong: a pong has come.
    ///   - error: another handler has thrown an error.
    ///   - subscription: the socket has subscribed to a topic, or unsubscribed. The numbers are those of the topic's
    ///     subscribers, on all loops, before that and now. Called within `subscribe` and `unsubscribe`, and for each
    ///     topic that a socket leaves by closing: a closing socket counts no more, so this is at the end of the turn in
    ///     which this side closes it, or after its `close` handler. Then publishing still works, nothing else.
    ///   - dropped: a message to this socket, or to a topic of its, was dropped, since too much waits for the socket.
    ///     Called within the `send` or `publish` that could not be served, which may be another socket's, so do not
    ///     hold a lock there. Drops that this handler's own sends and publishes lead to, on whichever loop, are counted
    ///     and not reported; those of a task that it starts are reported. Not reported either are messages dropped
    ///     because the socket is closed, and those that found a loop's lane full, which the loop has never seen: their
    ///     publisher hears of them, and `ServerStatistics.dropsInLanes` counts them.
    ///   - resumed: a subscription that was `.resuming` has come to something else: `.resumed`, behind what the socket
    ///     had missed, or `.gap`.
    public init(
        options: WebSocketOptions = WebSocketOptions(),
        open: (@Sendable (borrowing Socket) throws -> Void)? = nil,
        message: (@Sendable (borrowing Socket, borrowing Message) throws -> Void)? = nil,
        drain: (@Sendable (borrowing Socket) throws -> Void)? = nil,
        close: (@Sendable (borrowing Socket, CloseCode, String) throws -> Void)? = nil,
        ping: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)? = nil,
        pong: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)? = nil,
        error: (@Sendable (borrowing Socket, any Error) -> Void)? = nil,
        subscription: (@Sendable (borrowing Socket, Topic, _ before: Int, _ after: Int) throws -> Void)? = nil,
        dropped: (@Sendable (borrowing Socket, borrowing Message) throws -> Void)? = nil,
        resumed: (@Sendable (borrowing Socket, Topic, Resumption) throws -> Void)? = nil
    ) {
        precondition(
            open != nil || message != nil || drain != nil || close != nil || ping != nil || pong != nil || error != nil
                || subscription != nil || dropped != nil || resumed != nil,
            "WebSocketHandlers needs at least one handler")
        self.init(
            options,
            TypedHandlers(
                open: open, message: message, asyncMessage: nil, drain: drain, close: close, ping: ping, pong: pong,
                error: error, subscription: subscription, dropped: dropped, resumed: resumed))
    }

    /// Handlers of which the one for messages may wait.
    ///
    /// That handler is called for one message of a connection at a time, in order, on the connection's loop, where it
    /// is again after every `await`. Other messages that come meanwhile wait; at `maxWaitingMessages` nothing more is
    /// read, so that the peer feels it. Costs a copy of the message, and a task whenever messages come and none is
    /// being handled.
    ///
    /// Messages that came before the peer's Close, or its end of input, are handled before the close handler runs, and
    /// can still be answered; they have `closeTimeout` for it. Messages that wait when the socket is closed from this
    /// side, when a handler throws, or when the connection is lost, are dropped. When the socket is gone, the task of a
    /// handler that is still running is cancelled.
    ///
    /// An error that `asyncMessage` throws goes to `error` and closes with 1011. All other handlers are those of
    /// `init(options:open:message:…)`.
    public init(
        options: WebSocketOptions = WebSocketOptions(),
        open: (@Sendable (borrowing Socket) throws -> Void)? = nil,
        asyncMessage: @escaping @Sendable (WebSocketRef<ConnectionData>, OwnedMessage) async throws -> Void,
        drain: (@Sendable (borrowing Socket) throws -> Void)? = nil,
        close: (@Sendable (borrowing Socket, CloseCode, String) throws -> Void)? = nil,
        ping: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)? = nil,
        pong: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)? = nil,
        error: (@Sendable (borrowing Socket, any Error) -> Void)? = nil,
        subscription: (@Sendable (borrowing Socket, Topic, _ before: Int, _ after: Int) throws -> Void)? = nil,
        dropped: (@Sendable (borrowing Socket, borrowing Message) throws -> Void)? = nil,
        resumed: (@Sendable (borrowing Socket, Topic, Resumption) throws -> Void)? = nil
    ) {
        self.init(
            options,
            TypedHandlers(
                open: open, message: nil, asyncMessage: asyncMessage, drain: drain, close: close, ping: ping,
                pong: pong, error: error, subscription: subscription, dropped: dropped, resumed: resumed))
    }

    private init(_ options: WebSocketOptions, _ typed: TypedHandlers<ConnectionData>) {
        if let objection = options.objection { preconditionFailure(objection) }
        self.options = options
        self.typed = typed
    }
}
