/// One kind of socket: what happens on its events, and its limits. Declared once, used for any number of connections.
///
/// Every handler runs on the loop that owns the connection, one at a time per loop; what they share within a connection
/// (`ws.data`) needs no lock. Everything a handler sends leaves together at the end of the loop's turn. A handler that
/// throws hands the error to `error` and closes the socket with 1011, unless `error` closed it otherwise.
public struct WebSocketHandlers<ConnectionData>: Sendable {
    /// What handlers are lent.
    public typealias Socket = WebSocket<ConnectionData>

    /// Limits and timeouts of these sockets.
    public let options: WebSocketOptions
    let table: HandlerTable<ConnectionData>

    /// - Parameters:
    ///   - open: the handshake is done; the first handler a socket sees.
    ///   - message: a whole message has come. It is borrowed: `message.string` and `message.bytes` copy it.
    ///   - drain: after a send reported backpressure, everything queued has been taken by the kernel.
    ///   - close: the last handler, exactly once. The code is that of the peer's Close frame, 1005 if it carried none,
    ///     1006 if no Close came. Publishing still works; subscriptions end when it returns.
    ///   - ping: a ping has come; its pong has already been queued.
    ///   - pong: a pong has come.
    ///   - error: another handler threw this.
    public init(
        options: WebSocketOptions = WebSocketOptions(),
        open: (@Sendable (borrowing Socket) throws -> Void)? = nil,
        message: (@Sendable (borrowing Socket, borrowing Message) throws -> Void)? = nil,
        drain: (@Sendable (borrowing Socket) throws -> Void)? = nil,
        close: (@Sendable (borrowing Socket, CloseCode, String) throws -> Void)? = nil,
        ping: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)? = nil,
        pong: (@Sendable (borrowing Socket, borrowing RawSpan) throws -> Void)? = nil,
        error: (@Sendable (borrowing Socket, any Error) -> Void)? = nil
    ) {
        precondition(
            open != nil || message != nil || drain != nil || close != nil || ping != nil || pong != nil || error != nil,
            "WebSocketHandlers needs at least one handler")
        precondition(options.maxPayloadLength > 0, "maxPayloadLength must be positive")
        precondition(options.idleTimeout <= .seconds(86_400), "idleTimeout is at most 24 hours")
        self.options = options
        table = HandlerTable(
            open: open, message: message, drain: drain, close: close, ping: ping, pong: pong, error: error)
    }
}
