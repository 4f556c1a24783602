import Ringcast
import RingcastJSON
import RingcastTesting
import Testing
@testable import rooms

@Suite struct RoomsTests {
    let app: TestServer
    init() throws { app = try .init(configuration: .rooms(), loops: 3, seed: 7, routes: makeRoutes(adminKey: "key")) }
    func enter(_ name: String) throws -> TestClient {
        let login = try app.request(.post, "/login", body: #"{"name":"\#(name)"}"#)
        return try app.connect("/rooms/lobby", headers: login.cookies)
    }

    @Test func `members hear each other and who is there, and late ones the last 50 messages`() throws {
        let ann = try enter("ann")
        for number in 1...60 {
            ann.send(#"{"text":"\#(number)"}"#)
            app.advance(by: .milliseconds(200))
        }
        let bob = try enter("bob")
        bob.send(#"{"text":"hi"}"#)
        let lines = try bob.received.flatMap { try $0.decode(News.self).lines }
        #expect(lines.map(\.text) == (11...60).map(\.description) + ["hi"])
        ann.reset()
        #expect(try bob.received.last?.decode(News.self).members == ["bob"])
    }

    @Test func `strangers stay outside, and who is too fast or speaks no JSON is told so`() throws {
        #expect(throws: TestClientError.self) { try app.connect("/rooms/lobby", headers: [.cookie: "session=made-up"]) }
        let ann = try enter("ann")
        for _ in 1...6 { ann.send(#"{"text":"spam"}"#) }
        #expect(ann.received.last == .text("slower"))
        app.advance(by: .seconds(1))
        ann.send("no JSON")
        #expect(ann.closeCode == .invalidPayload)
    }

    @Test func `the admin sees rooms and empties them, and nobody else does`() throws {
        let (ann, key) = (try enter("ann"), [.authorization: "Bearer key"] as HTTPFields)
        #expect(try app.request(.get, "/admin/metrics").status == .unauthorized)
        #expect(try app.request(.get, "/admin/metrics", headers: key).string.contains("ringcast_sockets"))
        #expect(try app.request(.get, "/admin/rooms", headers: key).string == #"{"lobby":["ann"]}"#)
        #expect(try app.request(.delete, "/admin/rooms/lobby", headers: key).status == .noContent)
        #expect(ann.closeCode == .goingAway)
    }

    @Test func `over real sockets it serves, and ends gracefully`() async throws {
        let accounts = Accounts()
        let server = try Server(configuration: .rooms(port: 0), routes: makeRoutes(accounts, adminKey: "key"))
        async let end: Void = server.run()
        let cookie: HTTPFields = [.cookie: "session=\(await accounts.logIn("ann"))"]
        let url = "ws://127.0.0.1:\(server.port)/rooms/lobby"
        let ann = try await WebSocketClient.connect(ClientRequest(url, headers: cookie))
        try await ann.send(json: Saying(text: "hello"))
        for try await message in ann.messages where message.string.contains("hello") { server.stop() }
        try await end
        #expect(ann.closeCode == .goingAway)
    }
}
