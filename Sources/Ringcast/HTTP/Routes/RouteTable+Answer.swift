import HTTPProtocol
import HTTPTypes

extension RouteTable {
    /// Answers a request by its route.
    func answer(_ request: borrowing Request) throws -> Reply {
        switch destination(of: request) {
        case .route(let match):
            let routed = request.routed(by: match)
            return try match.withRoute { route in
                if !request.isAccepted { try accept(routed, route) }
                guard route.options.streamsBody, routed.body.byteCount > 0 else { return try route.answer(routed) }
                let pipe = BodyPipe(whole: routed.bytes)
                return try withExtendedLifetime(pipe) { try route.answer(routed.streamed(from: pipe)) }
            }
        case .options(let match): return try match.withRoute { try $0.answerOptions(request.routed(by: match)) }
        case .everything: return Self.optionsReply(RouteMethods(rawValue: 1 << UInt32(methods.count) &- 1), of: methods)
        case .otherMethods(let routes): return notAllowed(routes)
        case .nowhere: return Self.notFound
        }
    }

    /// Judges a request by its head, before its body has come.
    /// - Returns: how its body is taken.
    /// - Throws: a reply that refuses it.
    func acceptBody(of request: borrowing Request, serverLimit: Int) throws -> BodyAcceptance {
        switch destination(of: request) {
        case .route(let match):
            return try match.withRoute { route in
                let options = route.options
                try options.accept?(request.routed(by: match).withoutBody)
                let limit = options.bodyLimit ?? serverLimit
                return options.streamsBody ? .streamed(upTo: limit) : .collected(upTo: min(limit, serverLimit))
            }
        case .options, .everything: return .collected(upTo: serverLimit)
        case .otherMethods(let routes): throw notAllowed(routes)
        case .nowhere: throw Self.notFound
        }
    }

    /// Judges a request whose body is there, within the server's limit.
    private func accept(_ request: borrowing Request, _ route: Route) throws {
        try route.options.accept?(request.withoutBody)
        if let limit = route.options.bodyLimit, request.body.byteCount > limit { throw BodyAcceptance.tooLarge }
    }

    private static var notFound: Reply { .response(.notFound, "Not Found\n") }

    private func notAllowed(_ routes: RouteMethods) -> Reply {
        .response(
            .methodNotAllowed, "Method Not Allowed\n", headers: [.allow: Self.allowed(routes, of: methods)])
    }
}

/// How the body of a request is taken that has not come with its head.
enum BodyAcceptance {
    /// Before the request is answered.
    case collected(upTo: Int)
    /// By the handler, as it comes.
    case streamed(upTo: Int)

    static var tooLarge: Reply { .response(.contentTooLarge, "the request body is too large\n") }

    /// The same, for a body whose length may be known.
    /// - Throws: the refusal of one that is too long.
    func judged(by framing: BodyFraming) throws -> BodyAcceptance {
        switch self {
        case .collected(let limit), .streamed(let limit):
            if case .length(let length) = framing, length > limit { throw Self.tooLarge }
        }
        return self
    }
}
