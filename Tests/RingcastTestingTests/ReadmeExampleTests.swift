import Ringcast
import RingcastTesting
import Testing

@Suite struct ReadmeExampleTests {
    private struct Guest { let name: String; var missed = 0 }

    @Test func `the README's chat is tested as it says`() throws {
        let chat = WebSocketHandlers<Guest>(
            options: .init(idleTimeout: .seconds(60), perMessageDeflate: true),
            open: { ws in
                ws.subscribe(to: "lobby")
                ws.publish("\(ws.data.name) joined", to: "lobby")
            },
            message: { ws, message in
                ws.publish(message, to: "lobby")
                if case .dropped = ws.send("ack") { ws.data.missed += 1 }
            })
        let app = try TestServer { request in .upgrade(to: chat, with: Guest(name: "ann")) }
        let ann = try app.connect("/chat")
        ann.send("hello")
        app.advance(by: .seconds(120))
        #expect(ann.received.map(\.string) == ["ack"])
    }
}
