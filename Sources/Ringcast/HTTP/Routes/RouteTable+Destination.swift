import HTTPProtocol
import HTTPTypes

extension RouteTable {
    /// Where a request has come to.
    enum Destination {
        case route(RouteMatch)
        /// A path without a route of OPTIONS, and the route whose middleware hears of it.
        case options(RouteMatch)
        /// A path whose routes have other methods.
        case otherMethods(RouteMethods)
        case nowhere
        /// `OPTIONS *`: the server as a whole (RFC 9110 §9.3.7).
        case everything
    }

    func destination(of request: borrowing Request) -> Destination {
        if request.head.isAboutServer { return .everything }
        let (path, bytes) = (request.head.layout.path, request.head.bytes)
        let method = method(of: request)
        let search = tree.search(path, in: bytes, for: Self.wanted(by: method))
        if let match = match(search, method, request) { return .route(match) }
        guard !search.methods.isEmpty else { return .nowhere }
        guard method == Self.options else { return .otherMethods(search.methods) }
        // A preflight says which method it is about.
        let asked = request.header(.accessControlRequestMethod).map { self.method(named: $0) } ?? []
        for wanted in [Self.wanted(by: asked), search.methods] {
            let other = tree.search(path, in: bytes, for: wanted)
            if let route = firstRoute(of: other, wanted) {
                return .options(RouteMatch(route, other.parameters, search.methods))
            }
        }
        return .nowhere
    }

    private func match(_ search: RouteSearch, _ method: RouteMethods, _ request: borrowing Request) -> RouteMatch? {
        guard let endpoint = search.endpoint else { return nil }
        var chosen = method
        if method == Self.head, !search.methods.contains(Self.head) { chosen = Self.get }
        if method == Self.get, search.methods.contains(Self.webSocket),
            !search.methods.contains(Self.get) || request.isWebSocketUpgrade
        {
            chosen = Self.webSocket
        }
        guard let route = slots[endpoint * methods.count + chosen.rawValue.trailingZeroBitCount] else { return nil }
        return RouteMatch(route, search.parameters, search.methods)
    }

    private func firstRoute(of search: RouteSearch, _ wanted: RouteMethods) -> Route? {
        guard let endpoint = search.endpoint else { return nil }
        return search.methods.intersection(wanted).indices.lazy.compactMap { [slots, methods] in
            slots[endpoint * methods.count + $0]
        }.first
    }

    /// The methods by which a request of this one can be answered.
    private static func wanted(by method: RouteMethods) -> RouteMethods {
        switch method {
        case get: getOrWebSocket
        case head: headOrGet
        default: method
        }
    }

    // Made once: the union of two sets is a loop over an array, through witness tables.
    private static let getOrWebSocket: RouteMethods = [get, webSocket]
    private static let headOrGet: RouteMethods = [head, get]

    private func method(of request: borrowing Request) -> RouteMethods {
        if request.head.layout.isHead { return Self.head }
        let method = request.method
        return method == .get ? Self.get : self.method(named: method.rawValue)
    }

    /// Empty if no route has the method.
    private func method(named name: String) -> RouteMethods {
        methods.firstIndex(of: name).map { RouteMethods(index: $0) } ?? []
    }

    /// The value of `Allow` for a path with routes of these methods.
    static func allowed(_ routes: RouteMethods, of methods: [String]) -> String {
        var all = routes.union(options)
        if all.contains(get) { all.insert(head) }
        if all.contains(webSocket) { all.formUnion(get) }
        all.remove(webSocket)
        return all.indices.map { methods[$0] }.joined(separator: ", ")
    }

    /// What an OPTIONS request is told.
    static func optionsReply(_ routes: RouteMethods, of methods: [String]) -> Reply {
        .response(.noContent, headers: [.allow: allowed(routes, of: methods)])
    }
}
