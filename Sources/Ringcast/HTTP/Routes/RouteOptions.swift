/// What a route says of a request before its body is read.
public struct RouteOptions: Sendable {
    /// Bytes of a body that the route takes, 0 or more: over it 413. `ServerLimits.bodyBytes` bounds all routes; nil
    /// leaves it to that.
    public var bodyLimit: Int?
    /// Looks at a request's head, before any middleware and before its body is read, and refuses it by throwing the
    /// reply: `throw Reply.response(.unauthorized)`. Called once per request, on the connection's loop; it must not
    /// block, and the body that it sees is empty.
    ///
    /// A client that sent `Expect: 100-continue` is refused without a byte of body; whenever a body is still to come,
    /// the connection closes behind the refusal. Any other error is logged and answered with 500. A page of another
    /// origin cannot read the refusal: `Middleware.cors` has not run, and its headers are not there.
    public var accept: (@Sendable (borrowing Request) throws -> Void)?

    /// Nothing beyond the server's limits, but for what is given.
    public init(bodyLimit: Int? = nil, accept: (@Sendable (borrowing Request) throws -> Void)? = nil) {
        self.bodyLimit = bodyLimit
        self.accept = accept
    }
}
