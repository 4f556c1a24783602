import ReactorTesting
import Testing

@testable import Ringcast

@Suite(.endingAll) struct CORSTests {
    private static let friend = "https://friend.example"

    private func server(_ cors: Middleware) throws -> SimulatedServer {
        var routes = Routes()
        routes.use(cors)
        routes.use { request, next in request.query("login") == nil ? .response(.unauthorized) : try next(request) }
        routes.get("/page") { _ in .response(.ok, headers: [.vary: "Accept"]) }
        routes.put("/page") { _ in .response(.ok) }
        routes.webSocket("/live", RouteTests.echo)
        return try SimulatedServer(routes) { $0.originPolicy = .any }
    }

    @Test func `a preflight is answered before it is asked who one is`() throws {
        let server = try server(
            .cors(origins: .allow([Self.friend]), credentials: true, headers: [.contentType], maxAge: .seconds(60)))
        let answer = server.ask(
            "OPTIONS", "/page", "Origin: \(Self.friend)", "Access-Control-Request-Method: PUT",
            "Access-Control-Request-Headers: x-a")
        #expect(answer.status == 204)
        #expect(answer["Access-Control-Allow-Origin"] == Self.friend)
        #expect(answer["Access-Control-Allow-Credentials"] == "true")
        #expect(answer["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE")
        #expect(answer["Access-Control-Allow-Headers"] == "Content-Type")
        #expect(answer["Access-Control-Max-Age"] == "60")
        #expect(
            answer["Vary"] == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
    }

    @Test func `a preflight of another page is answered without leave`() throws {
        let server = try server(.cors(origins: .allow([Self.friend])))
        let answer = server.ask(
            "OPTIONS", "/page", "Origin: https://evil.example", "Access-Control-Request-Method: PUT")
        #expect(answer.status == 204 && answer["Access-Control-Allow-Origin"] == nil)
        #expect(answer["Access-Control-Allow-Methods"] == nil && answer["Vary"]?.contains("Origin") == true)
    }

    @Test func `headers that are asked for are allowed unless some are named`() throws {
        let answer = try server(.cors(origins: .any)).ask(
            "OPTIONS", "/page", "Origin: https://a.example", "Access-Control-Request-Method: GET",
            "Access-Control-Request-Headers: x-a, x-b")
        #expect(answer["Access-Control-Allow-Headers"] == "x-a, x-b")
        #expect(answer["Access-Control-Allow-Origin"] == "*")
    }

    @Test func `a reply says who may read it, also one that refuses`() throws {
        let server = try server(.cors(origins: .allow([Self.friend]), exposing: [.eTag]))
        for (target, status) in [("/page?login", 200), ("/page", 401)] {
            let answer = server.ask("GET", target, "Origin: \(Self.friend)")
            #expect(answer.status == status && answer["Access-Control-Allow-Origin"] == Self.friend)
            #expect(answer["Access-Control-Expose-Headers"] == "ETag")
            #expect(answer["Access-Control-Allow-Credentials"] == nil)
        }
        #expect(server.ask("GET", "/page?login", "Origin: \(Self.friend)")["Vary"] == "Accept, Origin")
        for field in ["Origin: https://evil.example", "X: y"] {
            let answer = server.ask("GET", "/page?login", field)
            #expect(answer.status == 200 && answer["Access-Control-Allow-Origin"] == nil)
            #expect(answer["Vary"] == "Accept, Origin", "a cache may not give it to the friend")
        }
    }

    @Test func `any page may read with a star, and no cache has to tell pages apart`() throws {
        let answer = try server(.cors(origins: .any)).ask("GET", "/page?login", "Origin: https://a.example")
        #expect(answer["Access-Control-Allow-Origin"] == "*" && answer["Vary"] == "Accept")
    }

    @Test func `OPTIONS that is no preflight is told the methods`() throws {
        let answer = try server(.cors(origins: .any)).ask("OPTIONS", "/page?login", "Origin: https://a.example")
        #expect(answer.status == 204 && answer["Allow"] == "GET, HEAD, PUT, OPTIONS")
    }

    @Test func `a WebSocket is not touched`() throws {
        let answer = try server(.cors(origins: .allow([Self.friend]))).shakeHands(
            "/live?login", fields: ["Origin: \(Self.friend)"])
        #expect(answer.status == 101 && answer["Access-Control-Allow-Origin"] == nil && answer["Vary"] == nil)
    }

    @Test func `credentials for any page trap`() async {
        await #expect(processExitsWith: .failure) { _ = Middleware.cors(origins: .any, credentials: true) }
        await #expect(processExitsWith: .failure) {
            _ = Middleware.cors(origins: .allow(["https://friend.example", "null"]), credentials: true)
        }
        _ = Middleware.cors(origins: .allow(["null"]))
    }
}
