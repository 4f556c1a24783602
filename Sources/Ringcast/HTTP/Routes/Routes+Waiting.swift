public import HTTPTypes

/// Routes whose handlers wait: for a database, another server, an actor.
///
///     routes.post("/login", within: .seconds(5)) { request in
///         guard let user = await users.find(request.string) else { return .response(.unauthorized) }
///         return .response(.noContent).setting(SetCookie("session", user.session)!)
///     }
///
/// The handler gets a copy of the request, and runs as a task on the connection's loop, where it is again after every
/// `await`: what `Reply.deferred` says of its task holds. It must not block. Over its time the client is answered 503.
extension Routes {
    /// Answers GET, and HEAD with the same headers, by a handler that may wait.
    public mutating func get(
        _ path: String, options: RouteOptions = RouteOptions(), within timeout: Duration,
        _ answer: @escaping @Sendable (RequestCopy) async throws -> Reply
    ) { on(.get, path, options: options, within: timeout, answer) }

    /// Answers POST by a handler that may wait.
    public mutating func post(
        _ path: String, options: RouteOptions = RouteOptions(), within timeout: Duration,
        _ answer: @escaping @Sendable (RequestCopy) async throws -> Reply
    ) { on(.post, path, options: options, within: timeout, answer) }

    /// Answers PUT by a handler that may wait.
    public mutating func put(
        _ path: String, options: RouteOptions = RouteOptions(), within timeout: Duration,
        _ answer: @escaping @Sendable (RequestCopy) async throws -> Reply
    ) { on(.put, path, options: options, within: timeout, answer) }

    /// Answers PATCH by a handler that may wait.
    public mutating func patch(
        _ path: String, options: RouteOptions = RouteOptions(), within timeout: Duration,
        _ answer: @escaping @Sendable (RequestCopy) async throws -> Reply
    ) { on(.patch, path, options: options, within: timeout, answer) }

    /// Answers DELETE by a handler that may wait.
    public mutating func delete(
        _ path: String, options: RouteOptions = RouteOptions(), within timeout: Duration,
        _ answer: @escaping @Sendable (RequestCopy) async throws -> Reply
    ) { on(.delete, path, options: options, within: timeout, answer) }

    /// Answers requests of any one method by a handler that may wait.
    public mutating func on(
        _ method: HTTPRequest.Method, _ path: String, options: RouteOptions = RouteOptions(), within timeout: Duration,
        _ answer: @escaping @Sendable (RequestCopy) async throws -> Reply
    ) {
        on(method, path, options: options) { request in
            let copy = request.copy()
            return .deferred(within: timeout) { try await answer(copy) }
        }
    }
}
