import Glibc
import Ringcast
import Testing

@Suite struct HTTPTests {
    @Test func `a request is answered with status, text and the fields of a response`() async throws {
        try await serving(fetch: { _ in .response(.ok, "hello", headers: [.server: "test"]) }) { server in
            let answer = try TCPClient(port: server.port).get("/")
            #expect(answer.status == 200)
            #expect(answer.text == "hello")
            #expect(answer["Content-Type"] == "text/plain; charset=utf-8")
            #expect(answer["Server"] == "test")
            #expect(answer["Date"]?.hasSuffix(" GMT") == true)
            #expect(answer["Connection"] == nil)
        }
    }

    @Test func `bytes are sent as octets unless their type is given`() async throws {
        try await serving(fetch: { request in
            request.path == "/png"
                ? .response(.ok, bytes: [1, 2, 3], headers: [.contentType: "image/png"])
                : .response(.ok, bytes: [0, 255])
        }) { server in
            let client = try TCPClient(port: server.port)
            let octets = try client.get("/")
            #expect(octets.body == [0, 255])
            #expect(octets["Content-Type"] == "application/octet-stream")
            #expect(try client.get("/png")["Content-Type"] == "image/png")
        }
    }

    @Test func `a connection is kept for the next request, and pipelined requests are answered in order`() async throws
    {
        try await serving(fetch: { request in .response(.ok, request.rawTarget) }) { server in
            let client = try TCPClient(port: server.port)
            #expect(try client.get("/1").text == "/1")
            try client.send((2...200).map { "GET /\($0) HTTP/1.1\r\nHost: test\r\n\r\n" }.joined())
            for number in 2...200 { #expect(try client.readAnswer().text == "/\(number)") }
        }
    }

    @Test func `pipelined answers that nobody reads do not pile up`() async throws {
        let body = String(repeating: "x", count: 100_000)
        let count = Journal<Int>()
        try await serving(fetch: { _ in
            count.note(1)
            return .response(.ok, body)
        }) { server in
            let client = try TCPClient(port: server.port, receiveBuffer: 4096)
            try client.send(String(repeating: "GET / HTTP/1.1\r\nHost: test\r\n\r\n", count: 500))
            pause(.milliseconds(300))
            #expect(count.entries.count < 200)
            for _ in 0..<500 { #expect(try client.readAnswer().body.count == body.utf8.count) }
        }
    }

    @Test(arguments: ["HTTP/1.0\r\n", "HTTP/1.1\r\nConnection: close\r\n"])
    func `a connection that is not to be kept is closed behind the answer`(_ version: String) async throws {
        try await serving(fetch: { _ in .response(.ok, "bye") }) { server in
            let client = try TCPClient(port: server.port)
            try client.send("GET / \(version)Host: test\r\n\r\n")
            let answer = try client.readAnswer()
            #expect(answer["Connection"] == "close")
            #expect(answer.text == "bye")
            #expect(try client.isAtEnd())
        }
    }

    @Test func `HEAD gets the head only`() async throws {
        try await serving(fetch: { _ in .response(.ok, "12345") }) { server in
            let client = try TCPClient(port: server.port)
            try client.send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(try client.readAnswer(hasBody: false)["Content-Length"] == "5")
            #expect(try client.get("/").text == "12345")
        }
    }

    @Test func `a request shows what it says`() async throws {
        try await serving(fetch: { request in
            let facts: [(String, String?)] = [
                ("method", request.method.rawValue), ("target", request.rawTarget), ("path", request.path),
                ("x", request.query("x")), ("y", request.query("y")), ("z", request.query("z")),
                ("accept", request.header(.accept)), ("accepts", request.headers(.accept).joined(separator: "|")),
                ("fields", request.headers[.accept]), ("host", request.host), ("cookie", request.cookie("k")),
                ("address", request.remoteAddress?.ipAddress), ("upgrade", "\(request.isWebSocketUpgrade)"),
            ]
            return .response(.ok, facts.map { "\($0): \($1 ?? "none")" }.joined(separator: "\n"))
        }) { server in
            let answer = try TCPClient(port: server.port).get(
                "/a%20b?x=1%2B1&y=", "Accept: a", "Accept: b", "Cookie: k=v")
            #expect(
                answer.text.split(separator: "\n") == [
                    "method: GET", "target: /a%20b?x=1%2B1&y=", "path: /a b", "x: 1+1", "y: ", "z: none",
                    "accept: a, b",
                    "accepts: a|b", "fields: a, b", "host: test", "cookie: v", "address: 127.0.0.1", "upgrade: false",
                ])
        }
    }

    @Test func `what fetch throws is a 500, and the connection goes on`() async throws {
        struct Oops: Error {}
        try await serving(fetch: { request in
            guard request.path == "/fine" else { throw Oops() }
            return .response(.ok)
        }) { server in
            let client = try TCPClient(port: server.port)
            #expect(try client.get("/").status == 500)
            #expect(try client.get("/fine").status == 200)
        }
    }

    @Test func `a deferred reply comes later, and the requests behind it wait for it`() async throws {
        let gate = AsyncMessageTests.Gate()
        try await serving(fetch: { request in
            guard request.path == "/later" else { return .response(.ok, "now") }
            let copy = request.copy()
            return .deferred {
                try await gate.pass()
                return .response(.ok, "later: " + copy.request.query("n")! + copy.request.path)
            }
        }) { server in
            let client = try TCPClient(port: server.port)
            try client.send("GET /later?n=1 HTTP/1.1\r\nHost: t\r\n\r\nGET /now HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(eventually { server.pendingRequests == 1 })
            gate.open()
            #expect(try client.readAnswer().text == "later: 1/later")
            #expect(try client.readAnswer().text == "now")
            #expect(eventually { server.pendingRequests == 0 })
        }
    }

    @Test func `a deferred reply that throws is a 500`() async throws {
        struct Oops: Error {}
        try await serving(fetch: { _ in .deferred { throw Oops() } }) { server in
            let answer = try TCPClient(port: server.port).get("/")
            #expect(answer.status == 500)
        }
    }

    @Test func `a deferred reply runs on its connection's loop, and is cancelled when the connection is reset`()
        async throws
    {
        let journal = Journal<String>()
        try await serving(fetch: { _ in
            let thread = pthread_self()
            return .deferred {
                await Task.yield()
                journal.note(thread == pthread_self() ? "same thread" : "another thread")
                do { try await Task.sleep(for: .seconds(60)) } catch { journal.note("cancelled") }
                return .response(.ok)
            }
        }) { server in
            let client = try TCPClient(port: server.port)
            try client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(journal.wait() == ["same thread"])
            client.reset()
            #expect(journal.wait(for: 2).last == "cancelled")
            #expect(eventually { server.pendingRequests == 0 })
        }
    }

    @Test func `a client that has said all it will say gets an answer, but no deferred one`() async throws {
        let journal = Journal<String>()
        try await serving(fetch: { request in
            guard request.path == "/later" else { return .response(.ok, "now") }
            return .deferred {
                do { try await Task.sleep(for: .seconds(3_600)) } catch { journal.note("cancelled") }
                return .response(.ok, "late")
            }
        }) { server in
            for behind in ["", String(repeating: "x", count: 100_000)] {
                let client = try TCPClient(port: server.port)
                try client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\nGET /later HTTP/1.1\r\nHost: t\r\n\r\n" + behind)
                client.shutDownWriting()
                #expect(try client.readAnswer().text == "now")
                #expect(try client.isAtEnd())
            }
            #expect(journal.wait(for: 2) == ["cancelled", "cancelled"])
            #expect(eventually { server.pendingRequests == 0 })
        }
    }
}
