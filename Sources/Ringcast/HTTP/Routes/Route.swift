import HTTPProtocol

/// One route as a server has it.
final class Route: Sendable {
    let pattern: RoutePattern
    let parameterNames: [String]
    let options: RouteOptions
    /// The handler with its middleware around it.
    let answer: Fetch
    /// The middleware around what an OPTIONS request is told where no route has that method.
    let answerOptions: Fetch

    /// - Parameter tellMethods: answers an OPTIONS request by the methods that its path has.
    init(_ entry: Routes.Entry, _ pattern: RoutePattern, tellMethods: @escaping Fetch) {
        self.pattern = pattern
        parameterNames = pattern.parameterNames
        self.options = entry.options
        answer = entry.middleware.around(entry.answer)
        answerOptions = entry.middleware.around(tellMethods)
    }
}

/// The route that a request has come to, and where its parameters lie in the head.
///
/// Safe: it retains nothing, and lives as long as the request that has it. The table outlives what it answers, and a
/// copy of the request keeps its route.
@safe struct RouteMatch {
    private let route: Unmanaged<Route>
    let parameters: RouteParameters
    /// The methods that the path has.
    let methods: RouteMethods

    init(_ route: Route, _ parameters: RouteParameters, _ methods: RouteMethods) {
        unsafe self.route = .passUnretained(route)
        self.parameters = parameters
        self.methods = methods
    }

    /// Borrows the route without counting references.
    @inline(__always)
    func withRoute<Result>(_ body: (Route) throws -> Result) rethrows -> Result {
        try unsafe route._withUnsafeGuaranteedRef(body)
    }
}

/// A `RouteMatch` that keeps its route.
struct RouteCopy: Sendable {
    private let route: Route
    private let parameters: RouteParameters
    private let methods: RouteMethods

    init(_ match: RouteMatch) {
        route = match.withRoute { $0 }
        parameters = match.parameters
        methods = match.methods
    }

    var match: RouteMatch { RouteMatch(route, parameters, methods) }
}
