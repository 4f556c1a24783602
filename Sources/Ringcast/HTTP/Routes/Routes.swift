// Ringcast/HTTP/Routes: which handler a request comes to. Users meet `Routes`, `Middleware` and `Request.parameter`; a
// server makes a `RouteTable` of them, over the tree of HTTPProtocol.

public import HTTPTypes

/// Which requests are answered by what: paths with parameters, methods, WebSockets, and what runs around them.
///
///     var routes = Routes()
///     routes.get("/health") { _ in .response(.ok, "fine") }
///     routes.get("/rooms/:room/members") { request in members(of: request.parameter("room")!) }
///     routes.webSocket("/rooms/:room", rooms) { request in
///         guard let name = request.cookie("name") else { throw Reply.response(.unauthorized) }
///         return Member(name: name, room: request.parameter("room")!)
///     }
///     let server = try Server(configuration: .init(port: 3000), routes: routes)
///
/// A path is divided at its slashes. In each segment a literal goes before a parameter (`:name`: any segment but an
/// empty one), and that before a `*` (or `*name`) at the end, which takes all that is left, with its slashes; of routes
/// that this leaves, one that has the request's method is taken. Segments are compared percent-decoded, and `%2F`
/// divides none; a path with a slash at its end is another path; case counts. A literal colon or asterisk at a
/// segment's beginning is written `%3A`, `%2A`.
///
/// A path of no route is answered 404; one whose routes have other methods 405, with `Allow`; HEAD by the route of GET,
/// OPTIONS by what `Allow` would say, unless there is a route for them; a GET of a WebSocket's path that asks for none
/// by 426, unless there is a route of GET beside it.
///
/// Routes that answer the same requests, or a path that is none, are an error of `Server.init`, which names them.
/// Finding a route allocates nothing and takes tens of nanoseconds, whatever their number. Handlers run on the loop of
/// the connection and must not block. A value: changing it changes no server; `Server.reload(routes:)` does.
public struct Routes: Sendable {
    struct Entry: Sendable {
        let kind: RouteKind
        let path: String
        let options: RouteOptions
        let middleware: [Middleware]
        let answer: Fetch
    }

    private(set) var entries: [Entry] = []
    private var prefix = ""
    private var middleware: [Middleware] = []

    /// No routes.
    public init() {}

    /// Answers GET, and HEAD with the same headers.
    public mutating func get(
        _ path: String, options: RouteOptions = RouteOptions(),
        _ answer: @escaping @Sendable (borrowing Request) throws -> Reply
    ) { on(.get, path, options: options, answer) }

    /// Answers POST.
    public mutating func post(
        _ path: String, options: RouteOptions = RouteOptions(),
        _ answer: @escaping @Sendable (borrowing Request) throws -> Reply
    ) { on(.post, path, options: options, answer) }

    /// Answers PUT.
    public mutating func put(
        _ path: String, options: RouteOptions = RouteOptions(),
        _ answer: @escaping @Sendable (borrowing Request) throws -> Reply
    ) { on(.put, path, options: options, answer) }

    /// Answers PATCH.
    public mutating func patch(
        _ path: String, options: RouteOptions = RouteOptions(),
        _ answer: @escaping @Sendable (borrowing Request) throws -> Reply
    ) { on(.patch, path, options: options, answer) }

    /// Answers DELETE.
    public mutating func delete(
        _ path: String, options: RouteOptions = RouteOptions(),
        _ answer: @escaping @Sendable (borrowing Request) throws -> Reply
    ) { on(.delete, path, options: options, answer) }

    /// Answers HEAD in place of the route of GET.
    public mutating func head(
        _ path: String, options: RouteOptions = RouteOptions(),
        _ answer: @escaping @Sendable (borrowing Request) throws -> Reply
    ) { on(.head, path, options: options, answer) }

    /// Answers OPTIONS, which is answered by itself otherwise.
    public mutating func options(
        _ path: String, options: RouteOptions = RouteOptions(),
        _ answer: @escaping @Sendable (borrowing Request) throws -> Reply
    ) { on(.options, path, options: options, answer) }

    /// Answers requests of any one method.
    public mutating func on(
        _ method: HTTPRequest.Method, _ path: String, options: RouteOptions = RouteOptions(),
        _ answer: @escaping @Sendable (borrowing Request) throws -> Reply
    ) { add(.http(method.rawValue), path, options, answer) }

    mutating func add(_ kind: RouteKind, _ path: String, _ options: RouteOptions, _ answer: @escaping Fetch) {
        entries.append(
            Entry(kind: kind, path: prefix + path, options: options, middleware: middleware, answer: answer))
    }

    /// Runs `middleware` around every handler that is registered below: around the ones that were given before, within
    /// those that are given later.
    public mutating func use(_ middleware: Middleware) { self.middleware.append(middleware) }

    /// Runs a closure around every handler that is registered below: see `Middleware`.
    public mutating func use(_ body: @escaping @Sendable (borrowing Request, Next) throws -> Reply) {
        use(Middleware(body))
    }

    /// Runs a closure that may wait around every handler that is registered below: see `Middleware.init(within:_:)`.
    public mutating func use(
        within timeout: Duration, _ body: @escaping @Sendable (RequestCopy, Next) async throws -> Reply
    ) { use(Middleware(within: timeout, body)) }

    /// Registers routes whose paths begin with `prefix`: `routes.group("/api") { api in api.get("/rooms") { … } }`.
    /// Middleware that is given within is for them alone. A path may be empty there: it is the prefix itself.
    public mutating func group(_ prefix: String, _ body: (inout Routes) throws -> Void) rethrows {
        var group = Routes()
        group.prefix = self.prefix + prefix
        group.middleware = middleware
        try body(&group)
        entries += group.entries
    }
}

/// What a route answers.
enum RouteKind: Hashable, Sendable {
    /// Requests of a method.
    case http(String)
    /// GETs that ask for a WebSocket, and others that no route of GET answers.
    case webSocket
}
