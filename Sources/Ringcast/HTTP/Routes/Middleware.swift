/// What runs around the handlers of routes: it may look at the request, answer itself, change the reply, or wait.
///
///     routes.use { request, next in
///         guard request.header(.authorization) == secret else { return .response(.unauthorized) }
///         return try next(request).setting(.cacheControl, to: "no-store")
///     }
///
/// Runs on the connection's loop, and must not block; a request costs one call for each. It hears of a route's requests
/// when the route has been found and the body is there: 404 and 405 are answered by the table itself.
public struct Middleware: Sendable {
    /// Makes one function of this and what it runs around; called when a server is made.
    let wrap: @Sendable (Next) -> Fetch

    /// Middleware that answers at once, though what it passes on may be a deferred reply: `Reply.changing` and
    /// `Reply.then` wait for that.
    /// - Parameter body: answers a request: `try next(request)` is the reply of what it runs around. A `Reply` that is
    ///   thrown there comes as if it were returned; other errors pass through, and are answered with 500 at the end.
    public init(_ body: @escaping @Sendable (borrowing Request, Next) throws -> Reply) {
        wrap = { next in { request in try body(request, next) } }
    }

    /// Middleware that may wait before or after it passes a request on: what `Reply.deferred` says of its task holds.
    /// Costs a copy of the request, and a task.
    /// - Parameters:
    ///   - timeout: how long it may take, over it 503. What it runs around may be a deferred reply again, which `next`
    ///     returns and whose own time begins when this is done.
    ///   - body: answers a request, on the connection's loop, where it is again after every `await`.
    public init(within timeout: Duration, _ body: @escaping @Sendable (RequestCopy, Next) async throws -> Reply) {
        wrap = { next in
            { request in
                let copy = request.copy()
                return .deferred(within: timeout) { try await body(copy, next) }
            }
        }
    }
}

/// What a middleware runs around: other middleware, and at last the handler of the route.
public struct Next: Sendable {
    let answer: Fetch

    /// Passes a request on, and returns what it is answered with, also where that was thrown.
    /// - Throws: what the handler throws, unless it is a `Reply`.
    public func callAsFunction(_ request: borrowing Request) throws -> Reply {
        do {
            return try answer(request)
        } catch let thrown as Reply {
            return thrown
        }
    }

    /// Passes on a request that was copied: on the connection's loop, as middleware is.
    public func callAsFunction(_ request: RequestCopy) throws -> Reply { try self(request.request) }
}

extension [Middleware] {
    /// One function for all of them, the first one outermost, around `answer`.
    func around(_ answer: @escaping Fetch) -> Fetch {
        reversed().reduce(answer) { inner, middleware in middleware.wrap(Next(answer: inner)) }
    }
}
