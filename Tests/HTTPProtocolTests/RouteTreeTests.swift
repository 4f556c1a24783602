import Testing

@testable import HTTPProtocol

@Suite struct RouteTreeTests {
    static let get = RouteMethods(index: 0)
    static let post = RouteMethods(index: 1)

    /// What a search has found: the pattern of its endpoint, and its parameters as they were sent.
    struct Found: Equatable, CustomStringConvertible {
        var pattern: String?
        var parameters: [String] = []

        var description: String { "\(pattern ?? "nothing") \(parameters)" }
    }

    static func tree(_ paths: [String]) throws -> RouteTree {
        RouteTree(try paths.map { (try RoutePattern($0), get) })
    }

    static func search(_ path: String, among paths: [String]) throws -> Found {
        let tree = try tree(paths)
        let bytes = Array(path.utf8)
        let search = tree.search(0..<bytes.count, in: bytes.rawSpan, for: get)
        let values = (0..<search.parameters.count).map { String(decoding: bytes[search.parameters[$0]], as: UTF8.self) }
        return Found(pattern: search.endpoint.map { paths[tree.endpoints.firstIndex(of: $0)!] }, parameters: values)
    }

    @Test(
        arguments: [
            ("/", "/", []), ("", "/", []), ("/rooms", "/rooms", []), ("/rooms/", "/rooms/", []),
            ("/rooms/7", "/rooms/:room", ["7"]), ("/rooms/all", "/rooms/all", []),
            ("/rooms/allow", "/rooms/:room", ["allow"]),
            ("/rooms/7/members", "/rooms/:room/members", ["7"]), ("/rooms/7/x", nil, []), ("/rooms/7/", nil, []),
            ("/rooms//members", nil, []), ("/Rooms", nil, []), ("/room", nil, []), ("/roomss", nil, []),
            ("//rooms", nil, []),
            ("/files/", "/files/*", [""]), ("/files/a/b%2Fc/", "/files/*", ["a/b%2Fc/"]), ("/files", nil, []),
            ("/files/index", "/files/index", []), ("/files/index/a", "/files/*", ["index/a"]),
            // Longer than what segments are told apart by at once.
            ("/a-segment-of-many-letters", "/a-segment-of-many-letters", []),
            ("/a-segment-0f-many-letters", "/a-segment-0f-many-letters", []), ("/a-segment-Xf-many-letters", nil, []),
            ("/a%2dsegment%2Dof-many-letters", "/a-segment-of-many-letters", []),
            ("/a%2dsegment%2DXf-many-letters", nil, []), ("/abcdefgh", "/abcdefgh", []), ("/abcdefg", nil, []),
            ("/abcdefghijklmnop", "/abcdefghijklmnop", []), ("/abcdefghijklmnopq", nil, []),
            ("/%61bcdefgh", "/abcdefgh", []), ("/abcdefgh%00", nil, []), ("/a%2Fb", "/a%2fb", []), ("/a/b", nil, []),
            ("/%72ooms/a%2Fb/members", "/rooms/:room/members", ["a%2Fb"]), ("/rooms%2F7", nil, []),
            ("/100%", "/100%", []), ("/100%25", "/100%", []), ("/caf%C3%A9", "/café", []),
        ] as [(String, String?, [String])])
    func `a path finds its route`(_ path: String, _ pattern: String?, _ parameters: [String]) throws {
        let paths = [
            "/", "/rooms", "/rooms/", "/rooms/:room", "/rooms/all", "/rooms/:room/members", "/files/*", "/files/index",
            "/a-segment-of-many-letters", "/a-segment-0f-many-letters", "/abcdefgh", "/abcdefghijklmnop", "/a%2fb",
            "/100%",
            "/café",
        ]
        #expect(try Self.search(path, among: paths) == Found(pattern: pattern, parameters: parameters))
        #expect(try Self.search(path, among: paths.reversed()) == Found(pattern: pattern, parameters: parameters))
    }

    @Test func `a literal that leads nowhere is left for a parameter, and that for a rest`() throws {
        let paths = ["/users/me/name", "/users/:id/mail", "/users/*"]
        #expect(try Self.search("/users/me/name", among: paths) == Found(pattern: "/users/me/name"))
        #expect(
            try Self.search("/users/me/mail", among: paths) == Found(pattern: "/users/:id/mail", parameters: ["me"]))
        #expect(try Self.search("/users/me/x", among: paths) == Found(pattern: "/users/*", parameters: ["me/x"]))
        #expect(try Self.search("/users/me", among: paths) == Found(pattern: "/users/*", parameters: ["me"]))
    }

    @Test func `a route without the method is left for one that has it, and all methods are told`() throws {
        let tree = RouteTree([
            (try RoutePattern("/a/me"), Self.post), (try RoutePattern("/a/:id"), Self.get),
            (try RoutePattern("/b"), Self.post),
            (try RoutePattern("/*"), Self.post),
        ])
        func search(_ path: String, _ wanted: RouteMethods) -> RouteSearch {
            let bytes = Array(path.utf8)
            return tree.search(0..<bytes.count, in: bytes.rawSpan, for: wanted)
        }
        #expect(search("/a/me", Self.get).endpoint == 1)
        #expect(search("/a/me", Self.post).endpoint == 0)
        let missing = search("/a/me", RouteMethods(index: 2))
        #expect(missing.endpoint == nil && missing.methods == [Self.get, Self.post] && missing.parameters.count == 0)
        #expect(search("/b", Self.get).methods == Self.post)
        #expect(search("/b", []).endpoint == nil)
    }

    @Test func `paths that differ by the names of parameters are one endpoint`() throws {
        #expect(try Self.tree(["/a/:x", "/b", "/a/:y", "/%62", "/a/*x", "/a/*y"]).endpoints == [0, 1, 0, 1, 2, 2])
    }

    @Test func `eight parameters are found`() throws {
        let found = try Self.search("/1/2/3/4/5/6/7/8/9", among: ["/:a/:b/:c/:d/:e/:f/:g/*h"])
        #expect(found.parameters == ["1", "2", "3", "4", "5", "6", "7", "8/9"])
    }

    @Test func `a tree without routes finds nothing`() throws {
        #expect(try Self.search("/", among: []) == Found())
    }
}
