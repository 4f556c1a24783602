import ReactorTesting
import Testing

@testable import Ringcast

/// WebSockets by route, and replies that are thrown.
@Suite(.endingAll) struct RouteSocketTests {
    struct Member: Sendable {
        let name: String
        let room: String
    }

    private static let rooms = WebSocketHandlers<Member>(open: { ws in ws.send("\(ws.data.name) in \(ws.data.room)") })

    private static func routes() -> Routes {
        var routes = Routes()
        routes.webSocket("/rooms/:room", rooms) { request in
            guard let name = request.cookie("name") else { throw Reply.response(.unauthorized, "who are you?") }
            return name == "eve" ? nil : Member(name: name, room: request.parameter("room")!)
        }
        routes.webSocket("/later/:room", rooms, within: .seconds(5)) { copy in
            await Task.yield()
            guard let name = copy.request.cookie("name") else { throw Reply.response(.unauthorized) }
            return name == "eve" ? nil : Member(name: name, room: copy.request.parameter("room")!)
        }
        routes.get("/thrown") { _ in throw Reply.response(.gone) }
        routes.get("/thrown/later") { _ in .deferred { throw Reply.response(.gone) } }
        return routes
    }

    @Test(arguments: ["/rooms", "/later"])
    func `a socket's data is made of its request, which may be refused`(_ path: String) async throws {
        try await serving(Self.routes()) { server in
            for (cookie, status) in [("x=y", 401), ("name=eve", 403)] {
                let client = try TCPClient(port: server.port)
                try client.send(SocketClient.request(path: path + "/7", fields: ["Cookie: \(cookie)"]))
                #expect(try client.readAnswer().status == status)
                #expect(try client.isAtEnd(), "nothing behind a refused upgrade is read")
            }
            let client = try SocketClient(port: server.port, path: path + "/a%2Fb", fields: ["Cookie: name=ann"])
            #expect(try client.readText() == "ann in a/b")
            #expect(try TCPClient(port: server.port).get(path + "/7").status == 426)
        }
    }

    @Test(arguments: ["/thrown", "/thrown/later"])
    func `a reply that is thrown is given`(_ path: String) async throws {
        try await serving(Self.routes()) { server in
            let client = try TCPClient(port: server.port)
            #expect(try client.get(path).status == 410)
        }
    }

    @Test func `a reply that fetch throws is given, too`() {
        let server = SimulatedServer(fetch: { _ in throw Reply.response(.gone) })
        #expect(server.ask("GET", "/").status == 410)
    }

    @Test func `an upgrade with data serves one request, one without any number`() throws {
        final class Box {}
        let boxes = WebSocketHandlers<Box>(message: { _, _ in })
        let (full, empty) = (Reply.upgrade(to: boxes, with: Box()), Reply.upgrade(to: RouteTests.echo))
        var routes = Routes()
        routes.get("/full") { _ in full }
        routes.get("/empty") { _ in empty }
        let server = try SimulatedServer(routes)
        #expect((0..<2).map { _ in server.shakeHands("/full").status } == [101, 500])
        #expect((0..<2).map { _ in server.shakeHands("/empty").status } == [101, 101])
    }

    @Test func `reload answers by other routes`() async throws {
        try await serving(Self.routes()) { server in
            var others = Routes()
            others.get("/thrown") { _ in .response(.ok) }
            try server.reload(routes: others)
            #expect(eventually { (try? TCPClient(port: server.port).get("/thrown").status) == 200 })
            others.get("/thrown") { _ in .response(.notFound) }
            #expect(throws: ServerError.self) { try server.reload(routes: others) }
            #expect(try TCPClient(port: server.port).get("/thrown").status == 200)
        }
    }
}
