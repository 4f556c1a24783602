import ReactorTesting
import Testing

@testable import Ringcast

/// Refusal before the body: a route that looks at the head alone.
@Suite(.endingAll) struct RouteRefusalTests {
    private static func routes(_ journal: Journal<String>) -> Routes {
        var routes = Routes()
        let options = RouteOptions(bodyLimit: 10) { request in
            journal.note("head \(request.body.byteCount)")
            guard request.header(.authorization) == "yes" else { throw Reply.response(.unauthorized, "no") }
        }
        routes.post("/upload", options: options) { request in
            journal.note("body \(request.body.byteCount)")
            return .response(.ok, request.string)
        }
        routes.get("/page") { _ in .response(.ok) }
        return routes
    }

    private func request(_ target: String, _ fields: String..., body: String = "") -> String {
        (["POST \(target) HTTP/1.1", "Host: test"] + fields).map { $0 + "\r\n" }.joined() + "\r\n" + body
    }

    @Test(arguments: [
        ("/upload", "Content-Length: 5", 401), ("/upload", "Transfer-Encoding: chunked", 401),
        ("/upload", "Authorization: yes\r\nContent-Length: 11", 413), ("/none", "Content-Length: 5", 404),
        ("/page", "Content-Length: 5", 405),
    ])
    func `a client that waits for leave is refused without a byte of body`(
        _ target: String, _ fields: String, _ status: Int
    ) throws {
        let journal = Journal<String>()
        let server = try SimulatedServer(Self.routes(journal))
        for text in [request(target, fields, "Expect: 100-continue"), request(target, fields)] {
            let peer = server.connect()
            peer.send(Array(text.utf8))
            server.rest()
            let answer = SimulatedAnswer(String(decoding: peer.takeReceivedBytes(), as: UTF8.self))
            #expect(answer.status == status && answer["Connection"] == "close")
            #expect(peer.hasSeenEnd, "what follows is no request")
        }
        #expect(!journal.entries.contains { $0.hasPrefix("body") })
    }

    @Test func `a client that is accepted is told to go on, and its route is asked once`() throws {
        let journal = Journal<String>()
        let server = try SimulatedServer(Self.routes(journal))
        let peer = server.connect()
        peer.send(
            Array(request("/upload", "Authorization: yes", "Content-Length: 5", "Expect: 100-continue").utf8))
        server.rest()
        #expect(String(decoding: peer.takeReceivedBytes(), as: UTF8.self) == "HTTP/1.1 100 Continue\r\n\r\n")
        peer.send(Array("hello".utf8))
        server.rest()
        #expect(String(decoding: peer.takeReceivedBytes(), as: UTF8.self).hasSuffix("\r\n\r\nhello"))
        #expect(journal.entries == ["head 0", "body 5"])
    }

    @Test func `a body that came with its head is judged as well, and the connection stays`() throws {
        let journal = Journal<String>()
        let server = try SimulatedServer(Self.routes(journal))
        let bodies = [
            request("/upload", "Content-Length: 5", body: "hello"),
            request("/upload", "Authorization: yes", "Content-Length: 11", body: "hello world"),
            request("/upload", "Authorization: yes", "Content-Length: 5", body: "hello"),
            request("/none", "Content-Length: 5", body: "hello"),
        ]
        let answers = server.exchange(bodies.joined())
        let statuses = answers.matches(of: /HTTP\/1\.1 (\d+)/).compactMap { Int($0.1) }
        #expect(statuses == [401, 413, 200, 404])
        #expect(journal.entries == ["head 0", "head 0", "head 0", "body 5"])
    }

    @Test func `a body in chunks may not pass the route's limit`() throws {
        let server = try SimulatedServer(Self.routes(Journal()))
        let head = request("/upload", "Authorization: yes", "Transfer-Encoding: chunked")
        #expect(SimulatedAnswer(server.exchange(head + "A\r\n0123456789\r\n0\r\n\r\n")).status == 200)
        #expect(SimulatedAnswer(server.exchange(head + "B\r\n0123456789a\r\n0\r\n\r\n")).status == 413)
    }

    @Test func `what accept throws otherwise is 500, and an upgrade is no refusal`() throws {
        struct Oops: Error {}
        var routes = Routes()
        routes.post("/oops", options: RouteOptions(accept: { _ in throw Oops() })) { _ in .response(.ok) }
        routes.post("/odd", options: RouteOptions(accept: { _ in throw Reply.upgrade(to: RouteTests.echo) })) { _ in
            .response(.ok)
        }
        let server = try SimulatedServer(routes)
        for path in ["/oops", "/odd"] {
            #expect(SimulatedAnswer(server.exchange(request(path, "Content-Length: 5"))).status == 500)
        }
        #expect(SimulatedAnswer(server.exchange(request("/oops"))).status == 500)
    }

    @Test func `routes that a reload has brought behind the head judge it as well`() throws {
        for judgedBefore in [true, false] {
            let journal = Journal<String>()
            let server =
                try judgedBefore
                ? SimulatedServer(Self.routes(Journal())) : SimulatedServer(fetch: { _ in .response(.ok) })
            let peer = server.connect()
            peer.send(
                Array(request("/upload", "Authorization: \(judgedBefore ? "yes" : "no")", "Content-Length: 5").utf8))
            server.rest()
            var stricter = Routes()
            let options = RouteOptions(accept: { _ in
                journal.note("head")
                throw Reply.response(.unauthorized)
            })
            stricter.post("/upload", options: options) { _ in
                journal.note("body")
                return .response(.ok)
            }
            try server.server.reload(routes: stricter)
            server.rest()
            peer.send(Array("hello".utf8))
            server.rest()
            #expect(SimulatedAnswer(String(decoding: peer.takeReceivedBytes(), as: UTF8.self)).status == 401)
            #expect(journal.entries == ["head"])
        }
    }

    @Test func `over a real socket, too`() async throws {
        let journal = Journal<String>()
        try await serving(Self.routes(journal)) { server in
            let client = try TCPClient(port: server.port)
            try client.send(request("/upload", "Content-Length: 500000", "Expect: 100-continue"))
            #expect(try client.readAnswer().status == 401)
            #expect(try client.isAtEnd())
        }
        #expect(journal.entries == ["head 0"])
    }
}
