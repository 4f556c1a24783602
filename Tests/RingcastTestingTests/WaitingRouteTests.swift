import Ringcast
import RingcastJSON
import RingcastTesting
import Testing

/// Routes whose handlers wait, what a copied request says, and the bearer's token.
@Suite struct WaitingRouteTests {
    private actor Users {
        private var names: [String] = []

        func add(_ name: String) -> Int {
            names.append(name)
            return names.count
        }
    }

    @Test func `a handler that waits is given the request as it was`() throws {
        var routes = Routes()
        routes.post("/users/:id", within: .seconds(5)) { request in
            #expect(request.method == .post && request.path == "/users/a/b" && request.route == "/users/:id")
            #expect(request.rawTarget == "/users/a%2Fb?x=1&y=%20" && request.queryItems.map(\.value) == ["1", " "])
            #expect(request.cookie("session") == "s" && request.headers[.cookie] == "session=s")
            #expect(request.host == "test" && !request.isSecure && request.bytes.count == request.string.utf8.count)
            #expect(request.clientAddress?.ipAddress == "203.0.113.7" && request.header(.accept) == nil)
            let count = await Users().add(try request.json([String].self)[0])
            let sockets = request.server.totals.sockets
            return .response(.created, "\(request.parameter("id")!) \(request.query("y")!)\(count) \(sockets)")
        }
        let app = try TestServer(routes: routes)
        let answer = try app.request(
            .post, "/users/a%2Fb?x=1&y=%20", headers: [.cookie: "session=s"], body: #"["ann"]"#, from: "203.0.113.7")
        #expect(answer.status == .created && answer.string == "a/b  1 0")
    }

    @Test func `all methods may wait, and HEAD is answered by GET`() throws {
        var routes = Routes()
        let answer: @Sendable (RequestCopy) async throws -> Reply = { .response(.ok, $0.method.rawValue) }
        routes.get("/", within: .seconds(1), answer)
        routes.post("/", within: .seconds(1), answer)
        routes.put("/", within: .seconds(1), answer)
        routes.patch("/", within: .seconds(1), answer)
        routes.delete("/", within: .seconds(1), answer)
        routes.on(.init("PURGE")!, "/", within: .seconds(1), answer)
        let app = try TestServer(routes: routes)
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "PURGE"] {
            #expect(try app.request(.init(method)!).string == method)
        }
        #expect(try app.request(.head).status == .ok)
    }

    @Test func `what takes too long is 503, what is thrown is a reply or 500`() throws {
        struct Oops: Error {}
        let clock = TestClock()
        var routes = Routes()
        routes.get("/slow", within: .seconds(2)) { _ in
            try await clock.sleep(for: .seconds(60))
            return .response(.ok)
        }
        routes.get("/thrown", within: .seconds(2)) { _ in throw Reply.response(.conflict) }
        routes.get("/oops", within: .seconds(2)) { _ in throw Oops() }
        var configuration = ServerConfiguration()
        configuration.logger.logLevel = .critical
        let app = try TestServer(configuration: configuration, clock: clock, routes: routes)
        let slow = try app.beginRequest(.get, "/slow")
        app.advance(by: .seconds(1))
        #expect(slow.response == nil)
        app.advance(by: .seconds(2))
        #expect(slow.response?.status == .serviceUnavailable)
        #expect(try app.request(.get, "/thrown").status == .conflict)
        #expect(try app.request(.get, "/oops").status == .internalServerError)
    }

    @Test(arguments: [
        ("Bearer secret", true), ("bearer secret", true), ("Bearer secreT", false), ("Bearer secret ", true),
        ("Bearer secrets", false), ("Bearer", false), ("Bearer ", false), ("Basic secret", false), ("secret", false),
    ])
    func `only the bearer of the token gets through`(said: String, gets: Bool) throws {
        var routes = Routes()
        routes.group("/admin") { admin in
            admin.use(.bearerToken("secret"))
            admin.get("/") { _ in .response(.ok) }
        }
        let app = try TestServer(routes: routes)
        let answer = try app.request(.get, "/admin/", headers: [.authorization: said])
        #expect(answer.status == (gets ? .ok : .unauthorized))
        #expect(answer.headers[.wwwAuthenticate] == (gets ? nil : "Bearer"))
        #expect(try app.request(.get, "/admin/").status == .unauthorized)
    }

    @Test func `an empty token traps`() async {
        await #expect(processExitsWith: .failure) { _ = Middleware.bearerToken("") }
    }

    @Test func `the cookies of an answer go back as a browser sends them`() throws {
        let app = try TestServer { request in
            guard request.path == "/login" else { return .response(.ok, request.header(.cookie) ?? "none") }
            return .response(.ok).setting(SetCookie("a", "1")!).setting(SetCookie("b", "2", maxAge: .seconds(1))!)
        }
        let login = try app.request(.get, "/login")
        #expect(try app.request(.get, "/", headers: login.cookies).string == "a=1; b=2")
        #expect(try app.request(.get, "/").cookies == [:])
    }
}
