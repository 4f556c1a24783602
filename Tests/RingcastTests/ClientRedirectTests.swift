import HTTPTypes
import ReactorTesting
import Ringcast
import Testing

/// Where redirects lead, and what must not go there.
@Suite struct ClientRedirectTests {
    @Test func `a redirect in a circle ends`() throws {
        let heads = Journal<String>()
        let server = ScriptedServer { peer in
            heads.note(try peer.readHead())
            try peer.send("HTTP/1.1 301 Round\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
        }
        try server.run {
            try withClients { group in
                let request = try ClientRequest(port: server.port) { $0.maxRedirects = 5 }
                #expect(try Outcome().failure(of: request, group) == .badRedirect("/"))
                #expect(heads.entries.count == 6)
                let keys = Set(heads.entries.map { ScriptedPeer.value(of: "sec-websocket-key", in: $0) })
                #expect(keys.count == 6, "each request has a key of its own")
            }
        }
    }

    @Test func `a redirect from wss to ws is not followed`() async throws {
        let authority = TestAuthority()
        let heads = Journal<String>()
        let plain = ScriptedServer { heads.note(try $0.readHead()) }
        try await plain.run {
            let location = "ws://127.0.0.1:\(plain.port)/"
            let believed = TLSTrust.authorities(.text(authority.pem))
            let tls = TLSConfiguration(certificates: [authority.issue("localhost")])
            try await serving(
                { $0.tls = tls },
                fetch: { _ in .response(.found, headers: [.location: location]) }
            ) { server in
                try withClients { group in
                    var request = try ClientRequest("wss://ann:pw@localhost:\(server.port)/")
                    request.tls.trust = believed
                    request.maxRedirects = 3
                    #expect(try Outcome().failure(of: request, group) == .badRedirect(location))
                }
            }
        }
        #expect(heads.entries == [])
    }

    @Test func `a user and a password go along to the same server only, and no secret to another`() throws {
        let heads = Journal<String>()
        let other = ScriptedServer { peer in
            heads.note(try peer.upgrade())
            try peer.readToEnd()
        }
        let first = ScriptedServer { peer in
            let head = try peer.readHead()
            heads.note(head)
            let port = value(of: "host", in: head)?.split(separator: ":").last ?? ""
            let location = head.hasPrefix("GET /a ") ? "ws://127.0.0.1:\(port)/b" : other.url
            try peer.send("HTTP/1.1 308 On\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n")
        }
        let outcome = Outcome()
        try other.run {
            try first.run {
                try withClients { group in
                    var request = try ClientRequest("ws://ann:pw@127.0.0.1:\(first.port)/a")
                    request.maxRedirects = 2
                    request.headers = [.proxyAuthorization: "Basic eDp5", .cookie: "x=1", .userAgent: "me"]
                    group.connect(request, handlers: outcome.handlers, with: ())
                    #expect(outcome.journal.wait() == ["open -"])
                }
            }
        }
        let said = heads.entries.map { head in
            ["authorization", "proxy-authorization", "cookie", "user-agent"].map { value(of: $0, in: head) }
        }
        #expect(said[0] == ["Basic YW5uOnB3", "Basic eDp5", "x=1", "me"] && said[1] == said[0])
        #expect(said[2] == [nil, nil, nil, "me"])
    }

    @Test func `a second redirect at another server brings no secret back`() throws {
        let heads = Journal<String>()
        let other = ScriptedServer { peer in
            let head = try peer.readHead()
            heads.note(head)
            if head.hasPrefix("GET /one ") {
                try peer.send("HTTP/1.1 307 On\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n")
            } else {
                try peer.send(ScriptedPeer.answer(to: head))
                try peer.readToEnd()
            }
        }
        let first = ScriptedServer { peer in
            heads.note(try peer.readHead())
            try peer.send("HTTP/1.1 307 On\r\nLocation: \(other.url)one\r\nContent-Length: 0\r\n\r\n")
        }
        let outcome = Outcome()
        try other.run {
            try first.run {
                try withClients { group in
                    var request = try ClientRequest("ws://ann:pw@127.0.0.1:\(first.port)/")
                    request.maxRedirects = 2
                    request.headers = [.cookie: "x=1", .userAgent: "me"]
                    group.connect(request, handlers: outcome.handlers, with: ())
                    #expect(outcome.journal.wait() == ["open -"])
                }
            }
        }
        let said = heads.entries.map { head in
            ["authorization", "cookie", "user-agent"].map { value(of: $0, in: head) }
        }
        #expect(said == [["Basic YW5uOnB3", "x=1", "me"], [nil, nil, "me"], [nil, nil, "me"]])
    }

    @Test func `what a user adds cannot become a line of its own`() throws {
        let heads = Journal<String>()
        let server = ScriptedServer { peer in
            heads.note(try peer.upgrade())
            try peer.readToEnd()
        }
        let outcome = Outcome()
        try server.run {
            try withClients { group in
                var request = try ClientRequest(server.url)
                request.headers = [.userAgent: "me\r\nEvil: 1"]
                request.headers.append(HTTPField(name: .cookie, lenientValue: Array("a\r\nEvil: 2".utf8)))
                group.connect(
                    request, handlers: outcome.handlers, with: (), failed: { outcome.failures.note($0) })
                #expect(eventually { outcome.journal.entries.count + outcome.failures.entries.count == 1 })
                #expect(!heads.entries.contains { value(of: "evil", in: $0) != nil })

                request = try ClientRequest(server.url)
                request.subprotocols = ["a\r\nEvil: 3"]
                guard try Outcome().failure(of: request, group).code == .invalidRequest else {
                    throw WebSocketClientError.cancelled
                }
            }
        }
    }
}

private func value(of name: String, in head: String) -> String? { ScriptedPeer.value(of: name, in: head) }
