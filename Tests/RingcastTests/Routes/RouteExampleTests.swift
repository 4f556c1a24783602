import Ringcast
import Testing

/// The examples of docs/http.md.
@Suite struct RouteExampleTests {
    struct Member {
        let name: String
        let room: String
    }

    private actor Sessions {
        func isValid(_ name: String?) -> Bool { name == "good" }
    }

    private static func routes() -> Routes {
        let rooms = WebSocketHandlers<Member>(
            open: { ws in ws.subscribe(to: "room/\(ws.data.room)") },
            message: { ws, message in
                ws.publish("\(ws.data.name): \(message.string)", to: "room/\(ws.data.room)")
            })
        let (sessions, secret) = (Sessions(), "secret")

        var routes = Routes()
        routes.get("/health") { _ in .response(.ok, "fine") }
        routes.use(.cors(origins: .allow(["https://app.example"])))  // around all that follows
        routes.use { request, next in try next(request).setting(.cacheControl, to: "no-store") }
        routes.get("/rooms/:room/count") { request in
            .response(.ok, "\(request.server.subscriberCount(of: "room/\(request.parameter("room")!)"))")
        }
        routes.webSocket("/rooms/:room", rooms) { request in
            guard let name = request.cookie("name") else { throw Reply.response(.unauthorized) }
            return Member(name: name, room: request.parameter("room")!)
        }
        let upload = RouteOptions(bodyLimit: 100_000) { head in
            guard head.header(.authorization) == secret else { throw Reply.response(.unauthorized) }
        }
        routes.post("/upload", options: upload) { request in .response(.ok, "\(request.bytes.count)") }
        routes.use(within: .seconds(5)) { request, next in
            guard await sessions.isValid(request.cookie("session")) else { return .response(.unauthorized) }
            return try next(request)
        }
        routes.get("/mine") { _ in .response(.ok, "yours") }
        return routes
    }

    @Test func `the example of the page on HTTP serves`() async throws {
        try await serving(Self.routes()) { server in
            let client = try TCPClient(port: server.port)
            let health = try client.get("/health")
            #expect(health.text == "fine" && health["Cache-Control"] == nil)
            let ann = try SocketClient(port: server.port, path: "/rooms/7", fields: ["Cookie: name=ann"])
            let bob = try SocketClient(port: server.port, path: "/rooms/7", fields: ["Cookie: name=bob"])
            #expect(eventually { server.subscriberCount(of: "room/7") == 2 })
            let count = try client.get("/rooms/7/count")
            #expect(count.text == "2" && count["Cache-Control"] == "no-store")
            try bob.send("hi")
            #expect(try ann.readText() == "bob: hi")
            #expect(try client.get("/mine").status == 401)
            #expect(try client.get("/mine", "Cookie: session=good").text == "yours")
            let request = "POST /upload HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n"
            try client.send(request + "Authorization: secret\r\n\r\nabc")
            #expect(try client.readAnswer().text == "3")
            try client.send(request + "Expect: 100-continue\r\n\r\n")
            #expect(try client.readAnswer().status == 401)
        }
    }
}
