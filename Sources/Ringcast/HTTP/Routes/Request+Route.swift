import HTTPProtocol

extension Request {
    /// What stands in the path for `:name` of the request's route, percent-decoded: a `%2F` has become a slash, and
    /// bytes that are not UTF-8 are replaced. `*name` is all that is left of the path, `*` that of one without a name.
    /// Nil if the route has no such parameter.
    public func parameter(_ name: String) -> String? {
        guard let match, let index = match.withRoute({ $0.parameterNames.firstIndex(of: name) }) else { return nil }
        return PercentDecoding.string(match.parameters[index], of: head.bytes, plusIsSpace: false)
    }

    /// The path of the request's route as it was registered, such as `/rooms/:room`: for logs and metrics. Nil where
    /// the server has no routes.
    public var route: String? { match?.withRoute { $0.pattern.text } }

    /// The request with what its route knows of it.
    @_lifetime(copy self)
    func routed(by match: RouteMatch) -> Request {
        Request(head: head, body: body, peer: peer, pipe: lentPipe, match: match, isAccepted: isAccepted)
    }

    /// The request with its body, which is there, given as one that comes.
    @_lifetime(copy self)
    func streamed(from pipe: BodyPipe) -> Request {
        Request(
            head: head, body: body.extracting(first: 0), peer: peer, pipe: LentPipe(pipe), match: match,
            isAccepted: isAccepted)
    }

    /// The request as it is before its body has come.
    var withoutBody: Request {
        @_lifetime(copy self)
        get { Request(head: head, body: body.extracting(first: 0), peer: peer, match: match, isAccepted: isAccepted) }
    }
}
