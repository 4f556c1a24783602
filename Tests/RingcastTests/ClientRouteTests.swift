import Glibc
import ReactorTesting
import Ringcast
import Testing
import WebSocketProtocol

/// Redirects, proxies, names, Unix sockets, and hosts that do not answer.
@Suite struct ClientRouteTests {
    @Test func `redirects are followed as far as the request allows, and secrets stay with the first server`() throws {
        let heads = Journal<String>()
        let target = ScriptedServer { peer in
            heads.note(try peer.upgrade())
            try peer.readToEnd()
        }
        let first = ScriptedServer { peer in
            let head = try peer.readHead()
            heads.note(head)
            let location = head.hasPrefix("GET /start ") ? "next?x=1" : "http://127.0.0.1:\(target.port)/there"
            try peer.send("HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 5\r\n\r\nthere")
        }
        let outcome = Outcome()
        try target.run {
            try first.run {
                try withClients { group in
                    let request = try ClientRequest("ws://ann:pw@127.0.0.1:\(first.port)/start")
                    var following = request
                    following.maxRedirects = 2
                    following.headers = [.cookie: "x=1", .userAgent: "me"]
                    group.connect(following, handlers: outcome.handlers, with: ())
                    #expect(outcome.journal.wait() == ["open -"])
                    let lines = heads.wait(for: 3).map { $0.split(separator: "\r\n").map(String.init) }
                    #expect(
                        lines.map(\.[0]) == [
                            "GET /start HTTP/1.1", "GET /next?x=1 HTTP/1.1", "GET /there HTTP/1.1",
                        ])
                    let secrets = ["Cookie: x=1", "Authorization: Basic YW5uOnB3"]
                    #expect(secrets.allSatisfy { lines[0].contains($0) && lines[1].contains($0) })
                    #expect(secrets.allSatisfy { !lines[2].contains($0) } && lines[2].contains("User-Agent: me"))

                    following.maxRedirects = 1
                    let location = "http://127.0.0.1:\(target.port)/there"
                    #expect(try Outcome().failure(of: following, group) == .badRedirect(location))
                    let refusal = try Outcome().failure(of: request, group)
                    guard refusal.code == .refused, let answer = refusal.answer else {
                        throw WebSocketClientError.cancelled
                    }
                    #expect(answer.status == 302 && answer.string == "there")
                }
            }
        }
    }

    @Test func `a proxy is asked for a tunnel, and its refusal is told`() throws {
        let heads = Journal<String>()
        let proxy = ScriptedServer { peer in
            let head = try peer.readHead()
            heads.note(head)
            guard head.contains("Proxy-Authorization: Basic YW5uOnB3\r\n") else {
                return try peer.send("HTTP/1.1 407 Who are you\r\nContent-Length: 2\r\n\r\nno")
            }
            try peer.send("HTTP/1.1 200 Connection established\r\n\r\n")
            heads.note(try peer.upgrade())
            try peer.sendFrame(0x81, [0x68, 0x69])
            try peer.readToEnd()
        }
        let outcome = Outcome()
        try proxy.run {
            try withClients { group in
                var request = try ClientRequest("ws://somewhere.invalid/chat")
                request.proxy = HTTPProxy(hostname: "127.0.0.1", port: proxy.port)
                let refusal = try Outcome().failure(of: request, group)
                guard refusal.code == .proxyRefused, let answer = refusal.answer else {
                    throw WebSocketClientError.cancelled
                }
                #expect(answer.status == 407 && answer.string == "no")
                request.proxy?.credentials = BasicCredentials(username: "ann", password: "pw")
                group.connect(request, handlers: outcome.handlers, with: ())
                #expect(outcome.journal.wait(for: 2) == ["open -", "hi"])
                #expect(
                    heads.entries[1].hasPrefix("CONNECT somewhere.invalid:80 HTTP/1.1\r\nHost: somewhere.invalid:80"))
                #expect(heads.entries[2].hasPrefix("GET /chat HTTP/1.1\r\nHost: somewhere.invalid\r\n"))
            }
        }
    }

    @Test func `names are resolved, and the family that answers is taken`() async throws {
        let outcome = Outcome()
        try await serving(ClientTests.echo) { server in
            try withClients { group in
                // The server is on IPv4 only; these are both, or whatever the machine says.
                for host in ["localhost", "ip6-localhost", "127.1"] {
                    let request = try ClientRequest("ws://\(host):\(server.port)/")
                    group.connect(request, handlers: outcome.handlers, with: (), failed: { outcome.failures.note($0) })
                }
                #expect(eventually { outcome.journal.entries.count + outcome.failures.entries.count == 3 })
                #expect(outcome.journal.entries.count >= 2, "\(outcome.failures.entries)")
                let failure = try Outcome().failure(of: try ClientRequest("ws://no-such-host.invalid/"), group)
                guard failure.code == .nameNotResolved, failure.address == "no-such-host.invalid" else { throw failure }
            }
        }
    }

    @Test func `a host that does not answer is given up when the time is over`() throws {
        let hole = BlackHole()
        try withClients { group in
            var request = try ClientRequest("ws://127.0.0.1:\(hole.port)/")
            request.handshakeTimeout = .milliseconds(300)
            #expect(try Outcome().failure(of: request, group) == .timedOut(.connection))
            #expect(eventually { group.statistics[0].connections == 0 })
        }
    }

    @Test func `an attempt can be cancelled at any point`() throws {
        let hole = BlackHole()
        let silent = ScriptedServer { peer in try peer.readToEnd() }
        try silent.run {
            try withClients { group in
                for url in ["ws://127.0.0.1:\(hole.port)/", silent.url, "ws://no-such-host.invalid/"] {
                    for delay in [0, 50] {
                        let outcome = Outcome()
                        let attempt = group.connect(
                            try ClientRequest(url), handlers: outcome.handlers, with: (),
                            failed: { outcome.failures.note($0) })
                        pause(.milliseconds(delay))
                        attempt.cancel()
                        let failure = try #require(outcome.failures.wait().first)
                        // A name server may have been quicker.
                        if failure.code == .nameNotResolved { continue }
                        #expect(failure == .cancelled, "\(url)")
                    }
                }
                #expect(eventually { group.statistics[0].connections == 0 })
            }
        }
    }

    @Test func `what cannot be asked for fails without a connection`() throws {
        try withClients { group in
            let request = try ClientRequest("ws://127.0.0.1:1/")
            var bad = request
            bad.localAddress = "nowhere"
            #expect(
                try Outcome().failure(of: bad, group)
                    == .invalidRequest("nowhere is not an IP address to bind to"))
            bad.localAddress = "192.0.2.1"
            #expect(
                try Outcome().failure(of: bad, group)
                    == .cannotConnect(to: "127.0.0.1:1", "Cannot assign requested address"))
            let path = String(repeating: "x", count: 200)
            let failure = try Outcome().failure(of: try ClientRequest("ws+unix:/\(path):/"), group)
            #expect(failure == .invalidURL("/\(path) is too long for the path of a Unix socket"))
        }
    }
}

/// A port where connections are never answered: its backlog is full.
final class BlackHole {
    let port: Int
    private var descriptors: [Int32] = []

    init() {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        descriptors = [listener]
        unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(unsafe bind(listener, address, length) == 0 && listen(listener, 0) == 0)
                precondition(unsafe getsockname(listener, address, &length) == 0)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        // These fill it; what follows is dropped.
        for _ in 0..<4 {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            descriptors.append(descriptor)
            unsafe withUnsafePointer(to: &address) { address in
                unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = unsafe connect(descriptor, $0, length)
                }
            }
        }
        pause(.milliseconds(20))
    }

    deinit { descriptors.forEach { close($0) } }
}
