import HTTPProtocol

/// The routes of a server, in the form in which requests find them. Used by all loops.
final class RouteTable: Sendable {
    /// Methods that routes have, by the indices of their bits.
    let methods: [String]
    let tree: RouteTree
    /// The route of each endpoint and method: `endpoint * methods.count + method`.
    let slots: [Route?]

    /// The methods that need no route to be known, in the order of `Allow`; WebSockets come last of all.
    private static let knownMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    static let get = RouteMethods(index: 0)
    static let head = RouteMethods(index: 1)
    static let options = RouteMethods(index: 6)
    static let webSocket = RouteMethods(index: 7)
    /// Stands for WebSockets among the methods; no method is called so.
    private static let webSocketName = "WebSocket "

    init(_ routes: Routes) throws(ServerError) {
        var methods = Self.knownMethods + [Self.webSocketName]
        var patterns: [(pattern: RoutePattern, methods: RouteMethods)] = []
        var indices: [Int] = []
        for entry in routes.entries {
            let name = entry.kind.method ?? Self.webSocketName
            let index = methods.firstIndex(of: name) ?? methods.count
            if index == methods.count { methods.append(name) }
            guard index < RouteMethods.capacity else {
                throw ServerError("routes have too many different methods", code: .invalidConfiguration)
            }
            indices.append(index)
            patterns.append((try entry.pattern(), RouteMethods(index: index)))
        }
        tree = RouteTree(patterns)
        self.methods = methods
        let names = methods
        var slots = [Route?](repeating: nil, count: tree.endpointCount * methods.count)
        for (number, entry) in routes.entries.enumerated() {
            let slot = tree.endpoints[number] * methods.count + indices[number]
            if let other = slots[slot] {
                let names = "\(entry.name(other.pattern.text)) and \(entry.name(entry.path))"
                throw ServerError("the routes \(names) answer the same requests", code: .invalidConfiguration)
            }
            slots[slot] = Route(entry, patterns[number].pattern) { request in
                Self.optionsReply(request.match?.methods ?? [], of: names)
            }
        }
        self.slots = slots
    }
}

extension Routes.Entry {
    /// What a route is called in errors: `GET /rooms/:room`.
    func name(_ path: String) -> String { "\(kind.method ?? "WebSocket") \(path)" }

    /// - Throws: what makes no sense in the route by itself.
    func pattern() throws(ServerError) -> RoutePattern {
        if let limit = options.bodyLimit, limit < 0 {
            throw ServerError(
                "the route \(name(path)) takes a body of \(limit) bytes at the most: choose 0 or more",
                code: .invalidConfiguration)
        }
        do throws(UnfitRoutePattern) {
            return try RoutePattern(path)
        } catch {
            throw ServerError("the route \(name(path)) \(error.reason)", code: .invalidConfiguration)
        }
    }
}

extension RouteKind {
    var method: String? { if case .http(let method) = self { method } else { nil } }
}
