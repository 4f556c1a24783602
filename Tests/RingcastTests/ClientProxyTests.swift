import Ringcast
import Testing

/// A proxy's answers (RFC 9110 §9.3.6).
@Suite struct ClientProxyTests {
    private func failure(
        of url: String = "ws://somewhere.invalid/", behind answer: String
    ) throws -> (WebSocketClientError, asked: [String]) {
        let heads = Journal<String>()
        let proxy = ScriptedServer { peer in
            heads.note(try peer.readHead())
            try peer.send(answer)
            try peer.readToEnd()
        }
        let outcome = Outcome()
        try proxy.run {
            try withClients { group in
                var request = try ClientRequest(url)
                request.proxy = HTTPProxy(hostname: "127.0.0.1", port: proxy.port)
                _ = try outcome.failure(of: request, group)
                #expect(eventually { group.statistics[0].connections == 0 })
            }
        }
        return (outcome.failures.entries[0], heads.entries)
    }

    @Test(arguments: ["ws://somewhere.invalid/", "wss://somewhere.invalid/"])
    func `what comes behind the tunnel's beginning before the server was asked is nobody's answer`(
        _ url: String
    ) throws {
        let forged = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
        for rest in [forged, "x", "SSH-2.0-x\r\n"] {
            let (error, _) = try failure(of: url, behind: "HTTP/1.1 200 OK\r\n\r\n" + rest)
            #expect(error == .invalidProxyAnswer("bytes came behind it before the server was asked"))
            #expect("\(error)".hasPrefix("the proxy's answer cannot be used: "))
        }
    }

    @Test(arguments: [
        ("SSH-2.0-OpenSSH\r\n", "it is not HTTP/1"),
        ("HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 17_000), "its head is too large"),
        (String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 9), "too many interim responses"),
    ])
    func `an answer that is none is the proxy's`(_ answer: String, _ what: String) throws {
        #expect(try failure(behind: answer).0 == .invalidProxyAnswer(what))
    }

    @Test(arguments: [101, 302, 403, 407, 502])
    func `a refusal is the proxy's, and nothing of it is followed`(_ status: Int) throws {
        let (error, asked) = try failure(
            behind: "HTTP/1.1 \(status) No\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        guard error.code == .proxyRefused, let answer = error.answer else { throw error }
        #expect(answer.status.code == status && asked.count == 1)
        #expect(ReconnectPolicy.isFinalErrorByDefault(error) == [403, 407].contains(status))
    }

    @Test(arguments: [0, -1, 65_536, 70_000])
    func `a port that is none is not cut to one`(_ port: Int) throws {
        try withClients { group in
            var request = try ClientRequest("ws://somewhere.invalid/")
            request.proxy = HTTPProxy(hostname: "127.0.0.1", port: port)
            #expect(
                try Outcome().failure(of: request, group) == .invalidRequest("\(port) is not a port: 1 to 65535"))
        }
    }

    @Test func `the tunnel leads to the address without its zone`() throws {
        let (_, asked) = try failure(
            of: "ws://[FE80::1%25eth0]:99/", behind: "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        #expect(asked[0].hasPrefix("CONNECT [fe80::1]:99 HTTP/1.1\r\nHost: [fe80::1]:99\r\n"))
    }
}
