import Reactor
import ReactorTesting
import Ringcast
import Testing
import WebSocketProtocol

/// `wss`, and `ws+unix`, against our own server.
@Suite struct ClientTLSTests {
    /// Whom the clients believe.
    private let authority: PEMSource
    private let serverCertificate: TLSCertificate
    private let clientCertificate: TLSCertificate

    init() {
        let authority = TestAuthority()
        self.authority = .text(authority.pem)
        serverCertificate = authority.issue("localhost")
        clientCertificate = authority.issue("ann")
    }

    private func serving(
        _ clients: TLSClientCertificates = .notAsked, _ body: @Sendable (Server) throws -> Void
    ) async throws {
        var tls = TLSConfiguration(certificates: [serverCertificate])
        tls.clientCertificates = clients
        try await RingcastTests.serving(ClientTests.echo, { $0.tls = tls }, body: body)
    }

    private func request(_ server: Server, host: String = "localhost") throws -> ClientRequest {
        var request = try ClientRequest("wss://\(host):\(server.port)/")
        request.tls.trust = .authorities(authority)
        return request
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func `messages go both ways under a certificate that is believed`(_ host: String) async throws {
        let received = Journal<Int>()
        try await serving { server in
            try withClients { group in
                let handlers = WebSocketHandlers<Void>(
                    open: { ws in
                        for count in [1, 100, 20_000, 300_000] { ws.send([UInt8](repeating: 7, count: count)) }
                    },
                    message: { _, message in received.note(message.byteCount) })
                group.connect(try request(server, host: host), handlers: handlers, with: ())
                #expect(received.wait(for: 4) == [1, 100, 20_000, 300_000])
            }
        }
    }

    @Test func `a certificate of somebody else is not believed, unless anybody is`() async throws {
        try await serving { server in
            try withClients { group in
                var bad: [ClientRequest] = []
                for _ in 0..<3 { bad.append(try request(server)) }
                bad[0].tls.trust = .system
                bad[1].tls.trust = .authorities(.text(TestAuthority().pem))
                bad[2].tls.serverName = "elsewhere.example"
                for request in bad {
                    let failure = try Outcome().failure(of: request, group)
                    guard failure.code == .tls, let reason = failure.detail else {
                        throw WebSocketClientError.cancelled
                    }
                    #expect(!reason.isEmpty)
                }
                let outcome = Outcome()
                var careless = bad[1]
                careless.tls.trust = .anybody
                group.connect(careless, handlers: outcome.handlers, with: ())
                #expect(outcome.journal.wait() == ["open -"])
                #expect(eventually { group.statistics[0].connections == 1 })
            }
        }
    }

    @Test func `a client can show a certificate of its own`() async throws {
        try await serving(.required(authorities: authority)) { server in
            try withClients { group in
                let outcome = Outcome()
                var request = try request(server)
                request.tls.certificate = clientCertificate
                group.connect(request, handlers: outcome.handlers, with: ())
                #expect(outcome.journal.wait() == ["open -"])
            }
        }
    }

    @Test func `a server that does not speak TLS is told`() throws {
        let server = ScriptedServer { peer in
            _ = try peer.read(1)
            try peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        }
        try server.run {
            try withClients { group in
                let request = try ClientRequest("wss://127.0.0.1:\(server.port)/")
                guard try Outcome().failure(of: request, group).code == .tls else {
                    throw WebSocketClientError.cancelled
                }
                #expect(eventually { group.statistics[0].connections == 0 })
            }
        }
    }

    @Test func `a server that is silent under TLS is cut at the deadline`() throws {
        let server = ScriptedServer { try $0.readToEnd() }
        try server.run {
            try withClients { group in
                var request = try ClientRequest("wss://127.0.0.1:\(server.port)/")
                request.handshakeTimeout = .milliseconds(200)
                #expect(try Outcome().failure(of: request, group) == .timedOut(.tls))
            }
        }
    }

    @Test(arguments: [true, false])
    func `a Unix socket is a server too`(_ isAbstract: Bool) async throws {
        let name = "ringcast-client-\(UInt32.random(in: 0 ... .max))"
        let path = isAbstract ? "@\(name)" : "/tmp/\(name).sock"
        let outcome = Outcome()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.send("over here") }, message: { _, message in outcome.journal.note(message.string) })
        try await RingcastTests.serving(
            ClientTests.echo, { $0.endpoints = [isAbstract ? .abstract(name) : .unix(path: path)] }
        ) { _ in
            try withClients { group in
                group.connect(try ClientRequest("ws+unix:\(path):/chat"), handlers: handlers, with: ())
                #expect(outcome.journal.wait() == ["over here"])
            }
        }
    }
}
