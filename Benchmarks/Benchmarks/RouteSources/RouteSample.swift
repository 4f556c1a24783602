/// A server's routes, and paths that lead to them, behind a `package` door: the sources beside this file are links to
/// the library's own.
package final class RouteSample {
    private let tree: RouteTree
    private let heads: [[UInt8]]
    /// What follows the path in each head.
    private static let rest = " HTTP/1.1\r\nHost: example.com\r\n\r\n"
    private static let get = RouteMethods(index: 0)

    /// - Parameter count: of routes, a multiple of five: literals, parameters in the middle and at the end, and a rest.
    package init(routes count: Int) {
        let resources = (0..<count / 5).map { "resource-\($0)" }
        let paths = resources.flatMap { name in
            [
                "/api/\(name)", "/api/\(name)/:id", "/api/\(name)/:id/members", "/api/\(name)/:id/members/:member",
                "/files/\(name)/*",
            ]
        }
        tree = RouteTree(paths.compactMap { path in (try? RoutePattern(path)).map { ($0, Self.get) } })
        heads = resources.flatMap { name in
            [
                "/api/\(name)", "/api/\(name)/4711", "/api/\(name)/4711/members", "/api/\(name)/4711/members/ann",
                "/files/\(name)/a/b",
            ]
        }.map { Array(($0 + Self.rest).utf8) }
    }

    /// Looks for the path of one of the routes, and returns its endpoint and where its first parameter lies.
    /// - Parameter number: which one, taken modulo the number of routes.
    package func match(_ number: Int) -> Int {
        let head = heads[number % heads.count]
        let length = head.count - Self.rest.utf8.count
        let search = tree.search(0..<length, in: unsafe head.span.bytes, for: Self.get)
        return (search.endpoint ?? -1) &+ (search.parameters.count > 0 ? search.parameters[0].lowerBound : 0)
    }
}
