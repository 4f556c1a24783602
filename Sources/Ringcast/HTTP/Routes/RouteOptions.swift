/// What a route says of a request before its body is read.
public struct RouteOptions: Sendable {
    /// Bytes of a body that the route takes, 0 or more: over it 413. Nil leaves it to `ServerLimits.bodyBytes`, which
    /// bounds all routes but those that read their bodies as they come.
    public var bodyLimit: Int?
    /// Whether the handler is called when the head is there, and reads the body as it comes, by `body(streaming:)` in a
    /// deferred reply or a streamed one; `body` is empty then. Middleware, too, sees the head alone.
    ///
    /// A client that sent `Expect: 100-continue` is told to go on when the first piece is asked for. If the reply is
    /// given before the body is complete, the rest is not read, and the connection closes behind the reply. A body over
    /// the limit ends the handler's task and the sequence, and is answered 413 (a connection whose answer has begun is
    /// cut); chunks that are none 400, a client that is too slow 408 (`ServerLimits.bodyTimeout`, which runs while the
    /// handler waits for bytes; the time of a deferred reply rests meanwhile).
    public var streamsBody: Bool
    /// Looks at a request's head, before any middleware and before its body is read, and refuses it by throwing the
    /// reply: `throw Reply.response(.unauthorized)`. Called once per request, on the connection's loop; it must not
    /// block, and the body that it sees is empty.
    ///
    /// A client that sent `Expect: 100-continue` is refused without a byte of body; whenever a body is still to come,
    /// the connection closes behind the refusal. Any other error is logged and answered with 500. A page of another
    /// origin cannot read the refusal: `Middleware.cors` has not run, and its headers are not there.
    public var accept: (@Sendable (borrowing Request) throws -> Void)?

    /// Nothing beyond the server's limits, but for what is given.
    public init(
        bodyLimit: Int? = nil, streamsBody: Bool = false,
        accept: (@Sendable (borrowing Request) throws -> Void)? = nil
    ) {
        self.bodyLimit = bodyLimit
        self.streamsBody = streamsBody
        self.accept = accept
    }
}
