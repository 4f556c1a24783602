import ReactorTesting
import Testing

@testable import Ringcast

@Suite(.endingAll) struct RouteTests {
    static let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })

    /// Every route tells its own path, and what its parameters are.
    static func told(_ names: String...) -> @Sendable (borrowing Request) -> Reply {
        { request in
            .response(
                .ok, ([request.route ?? "none"] + names.map { request.parameter($0) ?? "nil" }).joined(separator: "|"))
        }
    }

    static func routes() -> Routes {
        var routes = Routes()
        routes.get("/", told())
        routes.get("/rooms/:room/members", told("room", "other"))
        routes.post("/rooms/:name", told("name", "room"))
        routes.get("/rooms/all", told())
        routes.get("/files/*", told("*"))
        routes.put("/files/*path", told("path"))
        routes.webSocket("/live", echo)
        routes.get("/both", told())
        routes.webSocket("/both", echo)
        routes.head("/head") { _ in .response(.noContent) }
        routes.get("/head", told())
        routes.on(.init("PURGE")!, "/cache", told())
        routes.options("/asked") { _ in .response(.ok, "mine") }
        return routes
    }

    @Test(arguments: [
        ("GET", "/", "/"), ("GET", "/?a=b", "/"), ("GET", "http://test", "/"), ("GET", "/rooms/all", "/rooms/all"),
        ("GET", "/rooms/a%20b%2Fc/members?x", "/rooms/:room/members|a b/c|nil"),
        ("POST", "/rooms/7", "/rooms/:name|7|nil"),
        ("POST", "/rooms/all", "/rooms/:name|all|nil"), ("GET", "/files/a/b%2Fc", "/files/*|a/b/c"),
        ("PUT", "/files/", "/files/*path|"), ("PURGE", "/cache", "/cache"), ("OPTIONS", "/asked", "mine"),
        ("GET", "/both", "/both"),
    ])
    func `a request comes to its route`(_ method: String, _ target: String, _ text: String) throws {
        let server = try SimulatedServer(Self.routes())
        let answer = server.ask(method, target)
        #expect(answer.status == 200 && answer.text == text)
    }

    @Test(arguments: ["/none", "/rooms", "/rooms/", "/rooms/7/members/", "/files", "//"])
    func `a path of no route is 404`(_ target: String) throws {
        let server = try SimulatedServer(Self.routes())
        for method in ["GET", "POST", "OPTIONS", "MADEUP"] { #expect(server.ask(method, target).status == 404) }
    }

    @Test(arguments: [
        ("POST", "/", "GET, HEAD, OPTIONS"), ("DELETE", "/rooms/7", "POST, OPTIONS"),
        ("DELETE", "/rooms/all", "GET, HEAD, POST, OPTIONS"), ("PATCH", "/files/x", "GET, HEAD, PUT, OPTIONS"),
        ("HEAD", "/live", "GET, OPTIONS"), ("MADEUP", "/cache", "OPTIONS, PURGE"),
    ])
    func `a method that no route of the path has is 405`(_ method: String, _ target: String, _ allow: String) throws {
        let server = try SimulatedServer(Self.routes())
        let answer = server.ask(method, target)
        #expect(answer.status == 405 && answer["Allow"] == allow)
        let options = server.ask("OPTIONS", target)
        #expect(options.status == 204 && options["Allow"] == allow && options.text.isEmpty)
    }

    @Test func `options of the server as a whole are told`() throws {
        let answer = try SimulatedServer(Self.routes()).ask("OPTIONS", "*")
        #expect(answer.status == 204 && answer["Allow"]?.contains("PURGE") == true)
    }

    @Test func `HEAD is answered by GET's route without its body, unless it has one`() throws {
        let server = try SimulatedServer(Self.routes())
        let answer = server.ask("HEAD", "/rooms/all")
        #expect(answer.status == 200 && answer["Content-Length"] == "10" && answer.text.isEmpty)
        #expect(server.ask("HEAD", "/head").status == 204)
        #expect(server.ask("GET", "/head").status == 200)
    }

    @Test func `a WebSocket and a page may have one path; a plain GET where only a WebSocket is gets 426`() throws {
        let server = try SimulatedServer(Self.routes())
        for path in ["/live", "/both"] { #expect(server.shakeHands(path).status == 101) }
        let plain = server.ask("GET", "/live")
        #expect(plain.status == 426 && plain["Upgrade"] == "websocket" && plain["Sec-WebSocket-Version"] == "13")
        #expect(server.shakeHands("/rooms/all").status == 200)
        #expect(server.shakeHands("/none").status == 404)
    }

    @Test func `routes can be told from each other by their groups`() throws {
        var routes = Routes()
        routes.group("/api") { api in
            api.get("", Self.told())
            api.group("/:version") { version in version.get("/rooms/:room", Self.told("version", "room")) }
        }
        let server = try SimulatedServer(routes)
        #expect(server.ask("GET", "/api").text == "/api")
        #expect(server.ask("GET", "/api/2/rooms/7").text == "/api/:version/rooms/:room|2|7")
        #expect(server.ask("GET", "/2/rooms/7").status == 404)
    }

    @Test func `what a request asks is at hand as it was sent and decoded`() throws {
        var routes = Routes()
        routes.get("/x/:y") { request in
            let items = request.queryItems.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
            let copy = request.copy()
            return .response(
                .ok, "\(request.rawTarget)|\(items)|\(request.query("a") ?? "")|\(copy.request.parameter("y") ?? "nil")"
            )
        }
        let server = try SimulatedServer(routes)
        #expect(
            server.ask("GET", "/x/%41?a=1+%2B&&b&a=2&=c").text == "/x/%41?a=1+%2B&&b&a=2&=c|a=1 +;b=;a=2;=c|1 +|A")
    }

    @Test func `without routes a request has none`() {
        let server = SimulatedServer(fetch: Self.told("room"))
        #expect(server.ask("GET", "/rooms/7").text == "none|nil")
    }

    private func error(_ add: (inout Routes) -> Void) -> String? {
        var routes = Routes()
        add(&routes)
        do throws(ServerError) {
            _ = try Server(configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(1)), routes: routes)
            return nil
        } catch { return error.description }
    }

    @Test func `routes that answer the same requests are an error that names both`() {
        #expect(
            error {
                $0.get("/rooms/:room", Self.told())
                $0.get("/rooms/:id", Self.told())
            } == "the routes GET /rooms/:room and GET /rooms/:id answer the same requests")
        #expect(
            error {
                $0.webSocket("/a%62", Self.echo)
                $0.group("/ab") { $0.webSocket("", Self.echo) }
            } == "the routes WebSocket /a%62 and WebSocket /ab answer the same requests")
        #expect(
            error {
                $0.get("/*", Self.told())
                $0.post("/*", Self.told())
                $0.get("/*all", Self.told())
            } == "the routes GET /* and GET /*all answer the same requests")
    }

    @Test func `a path that is none is an error that names the route`() {
        #expect(error { $0.post("rooms", Self.told()) } == "the route POST rooms does not begin with a slash")
        #expect(error { $0.get("/*/x", Self.told()) } == "the route GET /*/x has a * that is not its last segment")
        #expect(error { $0.get("/:id.json", Self.told()) }?.contains("a parameter called id.json") == true)
        #expect(error { _ in } == nil)
    }

    @Test func `a limit of a body that is none is an error that names the route`() {
        #expect(
            error { $0.post("/upload", options: RouteOptions(bodyLimit: -1), Self.told()) }
                == "the route POST /upload takes a body of -1 bytes at the most: choose 0 or more")
        #expect(error { $0.post("/upload", options: RouteOptions(bodyLimit: 0), Self.told()) } == nil)
    }
}
