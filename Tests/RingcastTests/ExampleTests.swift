import ReactorTesting
import Ringcast
import Testing

@Suite(.blocking) struct ExampleTests {
    struct Guest {
        let name: String
        var missed = 0
    }

    /// The example of the README, which a tidy test compares with this one.
    static func makeServer() throws -> Server {
        let chat = WebSocketHandlers<Guest>(  // declared once, with its own limits and compression
            options: .init(idleTimeout: .seconds(60), perMessageDeflate: true),
            open: { ws in
                ws.subscribe(to: "lobby")
                ws.publish("\(ws.data.name) joined", to: "lobby")
            },
            message: { ws, message in  // message: borrowed, zero copy
                ws.publish(message, to: "lobby")
                if case .dropped = ws.send("ack") { ws.data.missed += 1 }
            },
            drain: { ws in ws.data.missed = 0 },
            close: { ws, code, reason in ws.publish("\(ws.data.name) left", to: "lobby") }
        )
        let server = try Server(
            configuration: .init(
                hostname: "127.0.0.1", port: 0, loops: .count(2), pinsThreads: false, placement: .balanced,
                topics: [.matching("lobby", order: .total)])
        ) { request in
            guard request.path == "/chat" else { return .response(.ok, "Hello") }
            guard let name = request.query("name") else { return .response(.badRequest) }
            return .upgrade(to: chat, with: Guest(name: name), headers: [.setCookie: "seen=1"])
        }
        Task { server.publish("from anywhere", to: "lobby") }  // any thread, any task
        return server
    }

    /// The next text but the task's, which comes whenever the task gets to run.
    private func next(_ client: SocketClient) throws -> String {
        let text = try client.readText()
        return text == "from anywhere" ? try client.readText() : text
    }

    @Test func `the example of the design serves a chat`() async throws {
        let server = try Self.makeServer()
        try await run(server) { server in
            #expect(try TCPClient(port: server.port).get("/").text == "Hello")
            let nameless = try TCPClient(port: server.port)
            try nameless.send(SocketClient.request(path: "/chat"))
            #expect(try nameless.readAnswer().status == 400)

            let ann = try SocketClient(port: server.port, path: "/chat?name=Ann")
            #expect(ann.answer["Set-Cookie"] == "seen=1")
            #expect(eventually { server.subscriberCount(of: "lobby") == 1 })
            let bob = try SocketClient(port: server.port, path: "/chat?name=Bob")
            #expect(try next(ann) == "Bob joined")
            try bob.send("hi all")
            #expect(try next(bob) == "ack")
            #expect(try next(ann) == "hi all")
            try bob.sendClose()
            #expect(try next(ann) == "Bob left")
            server.publish("the end", to: "lobby")
            #expect(try next(ann) == "the end")
        }
    }
}
