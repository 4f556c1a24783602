import ReactorTesting
import Testing

@testable import Ringcast

@Suite(.endingAll) struct MiddlewareTests {
    private struct Oops: Error {}

    private static func noting(_ name: String, in journal: Journal<String>) -> Middleware {
        Middleware { request, next in
            journal.note("\(name) \(request.route ?? "")")
            let reply = try next(request)
            journal.note("\(name) \(reply.status?.code ?? 0)")
            return reply
        }
    }

    @Test func `it runs in its order, around what was registered below it`() throws {
        let journal = Journal<String>()
        var routes = Routes()
        routes.get("/above") { _ in .response(.ok) }
        routes.use(Self.noting("a", in: journal))
        routes.group("/in") {
            $0.use(Self.noting("b", in: journal))
            $0.get("/side") { _ in .response(.accepted) }
        }
        routes.use(Self.noting("c", in: journal))
        routes.get("/below") { _ in .response(.created) }
        let server = try SimulatedServer(routes)
        #expect(server.ask("GET", "/above").status == 200 && journal.entries.isEmpty)
        #expect(server.ask("GET", "/in/side").status == 202)
        #expect(journal.entries == ["a /in/side", "b /in/side", "b 202", "a 202"])
        #expect(server.ask("GET", "/below").status == 201)
        #expect(journal.entries.dropFirst(4) == ["a /below", "c /below", "c 201", "a 201"])
        #expect(server.ask("GET", "/none").status == 404 && server.ask("PUT", "/below").status == 405)
        #expect(journal.entries.count == 8, "what the table answers is no handler's")
    }

    @Test func `it may answer itself, and change what is answered, also what was thrown`() throws {
        var routes = Routes()
        routes.use { request, next in
            guard request.header(.authorization) == "yes" else { return .response(.unauthorized) }
            return try next(request).setting(.cacheControl, to: "no-store").setting(SetCookie("seen", "1")!)
        }
        routes.get("/page") { _ in .response(.ok, headers: [.cacheControl: "private"]) }
        routes.get("/thrown") { _ in throw Reply.response(.conflict) }
        routes.get("/later") { _ in .deferred { .response(.accepted) } }
        routes.get("/thrown/later") { _ in .deferred { throw Reply.response(.conflict) } }
        routes.webSocket("/live", RouteTests.echo)
        let server = try SimulatedServer(routes)
        #expect(server.ask("GET", "/page").status == 401)
        #expect(server.shakeHands("/live").status == 401)
        for (path, status) in [("/page", 200), ("/thrown", 409)] {
            let answer = server.ask("GET", path, "Authorization: yes")
            #expect(answer.status == status && answer["Cache-Control"] == "no-store", "\(path)")
            #expect(answer["Set-Cookie"]?.hasPrefix("seen=1") == true)
        }
        let upgrade = server.shakeHands("/live", fields: ["Authorization: yes"])
        #expect(upgrade.status == 101 && upgrade["Cache-Control"] == "no-store")
        #expect(server.ask("GET", "/live", "Authorization: yes").status == 426)
    }

    @Test func `a deferred reply is changed when it comes`() async throws {
        var routes = Routes()
        routes.use { request, next in
            try next(request).setting(.cacheControl, to: "no-store").then { reply in
                reply.status == .accepted ? .response(.ok, "instead") : reply
            }
        }
        routes.get("/later") { _ in .deferred { .response(.accepted) } }
        routes.get("/thrown") { _ in .deferred { throw Reply.response(.conflict) } }
        routes.get("/twice") { _ in .deferred { .deferred { .response(.created) } } }
        try await serving(routes) { server in
            let client = try TCPClient(port: server.port)
            #expect(try client.get("/later").text == "instead")
            for (path, status) in [("/thrown", 409), ("/twice", 201)] {
                let answer = try client.get(path)
                #expect(answer.status == status && answer["Cache-Control"] == "no-store")
            }
        }
    }

    @Test func `an error passes through, can be caught, and is 500 in the end`() throws {
        var routes = Routes()
        routes.get("/oops") { _ in throw Oops() }
        routes.use { request, next in
            do { return try next(request) } catch is Oops { return .response(.badGateway) }
        }
        routes.get("/caught") { _ in throw Oops() }
        let server = try SimulatedServer(routes)
        #expect(server.ask("GET", "/oops").status == 500)
        #expect(server.ask("GET", "/caught").status == 502)
    }

    /// Answers later, and looks where it is then.
    private static func waiting(_ journal: Journal<String>) -> Middleware {
        Middleware(within: .seconds(30)) { copy, next in
            let index = await directory.name(of: copy.request.query("user") ?? "")
            guard let index else { return .response(.unauthorized) }
            journal.note("\(index) on \(copy.request.server.isOnLoop)")
            return try next(copy).setting(.from, to: index)
        }
    }

    private actor Directory {
        func name(of user: String) -> String? { user.isEmpty ? nil : user.uppercased() }
    }

    private static let directory = Directory()

    @Test func `it may wait, and goes on on the connection's loop`() async throws {
        let journal = Journal<String>()
        var routes = Routes()
        routes.use(Self.waiting(journal))
        routes.post("/rooms/:room") { request in .response(.ok, "\(request.parameter("room")!) \(request.string)") }
        routes.get("/later") { _ in .deferred(within: .seconds(20)) { .response(.accepted) } }
        routes.webSocket("/live", RouteTests.echo)
        try await serving(routes) { server in
            let client = try TCPClient(port: server.port)
            #expect(try client.get("/later").status == 401)
            try client.send("POST /rooms/7?user=ann HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello")
            let answer = try client.readAnswer()
            #expect(answer.text == "7 hello" && answer["From"] == "ANN")
            #expect(try client.get("/later?user=bob")["From"] == "BOB")
            let socket = try SocketClient(port: server.port, path: "/live?user=eve")
            try socket.send("hi")
            #expect(try socket.readText() == "hi")
        }
        #expect(journal.entries == ["ANN on true", "BOB on true", "EVE on true"])
    }

    @Test func `what waits too long is 503`() throws {
        var routes = Routes()
        routes.use(within: .seconds(2)) { copy, next in
            try await Task.sleep(for: .seconds(86_400))
            return try next(copy)
        }
        routes.get("/") { _ in .response(.ok) }
        let server = try SimulatedServer(routes)
        let peer = server.connect()
        peer.send(Array("GET / HTTP/1.1\r\nHost: t\r\n\r\n".utf8))
        server.rest()
        server.advance(.milliseconds(1_800))
        #expect(peer.takeReceivedBytes().isEmpty)
        server.advance(.milliseconds(400))
        #expect(String(decoding: peer.takeReceivedBytes(), as: UTF8.self).hasPrefix("HTTP/1.1 503 "))
    }
}

extension Server {
    fileprivate var isOnLoop: Bool { core.currentLoop != nil }
}
