import HTTPProtocol
import HTTPTypes

extension RouteTable {
    /// Answers a request by its route.
    func answer(_ request: borrowing Request) throws -> Reply {
        switch destination(of: request) {
        case .route(let match):
            let routed = request.routed(by: match)
            return try match.withRoute { route in
                if !request.isAccepted { try accept(routed, route, bodyLength: request.body.byteCount) }
                return try route.answer(routed)
            }
        case .options(let match): return try match.withRoute { try $0.answerOptions(request.routed(by: match)) }
        case .everything: return Self.optionsReply(RouteMethods(rawValue: 1 << UInt32(methods.count) &- 1), of: methods)
        case .otherMethods(let routes): return notAllowed(routes)
        case .nowhere: return Self.notFound
        }
    }

    /// Judges a request by its head, before its body has come.
    /// - Returns: how many bytes its body may have.
    /// - Throws: a reply that refuses it.
    func acceptBody(of request: borrowing Request) throws -> Int {
        switch destination(of: request) {
        case .route(let match):
            let length = if case .length(let length) = request.head.layout.body { length } else { 0 }
            return try match.withRoute { route in
                try accept(request.routed(by: match), route, bodyLength: length)
                return route.options.bodyLimit ?? .max
            }
        case .options, .everything: return .max
        case .otherMethods(let routes): throw notAllowed(routes)
        case .nowhere: throw Self.notFound
        }
    }

    private func accept(_ request: borrowing Request, _ route: Route, bodyLength: Int) throws {
        try route.options.accept?(request.withoutBody)
        if let limit = route.options.bodyLimit, bodyLength > limit {
            throw Reply.response(.contentTooLarge, "the request body is too large\n")
        }
    }

    private static var notFound: Reply { .response(.notFound, "Not Found\n") }

    private func notAllowed(_ routes: RouteMethods) -> Reply {
        .response(
            .methodNotAllowed, "Method Not Allowed\n", headers: [.allow: Self.allowed(routes, of: methods)])
    }
}
