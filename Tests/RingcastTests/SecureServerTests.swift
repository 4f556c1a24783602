import ReactorTesting
import Ringcast
import Synchronization
import Testing
import WebSocketProtocol

/// HTTPS and wss over real sockets.
@Suite(.blocking) struct SecureServerTests {
    private let authority = TestAuthority()

    private var configuration: TLSConfiguration { TLSConfiguration(certificates: [authority.issue("localhost")]) }

    /// Serves one kind of socket, and lends so many of them, open.
    private func servingSockets(
        _ handlers: WebSocketHandlers<Void>, count: Int, body: @Sendable (Server, [SecureClient]) throws -> Void
    ) async throws {
        let tls = configuration
        try await serving(handlers) {
            $0.tls = tls
        } body: { server in
            let clients = try (0..<count).map { _ in try SecureClient(port: server.port) }
            for client in clients { try client.upgrade() }
            try body(server, clients)
        }
    }

    @Test func `a request knows that it came by TLS, also as a copy`() async throws {
        let tls = configuration
        try await serving {
            $0.tls = tls
        } fetch: { request in
            let copy = request.copy()
            let isSecure = request.isSecure && copy.request.isSecure && request.tls == copy.request.tls
            return .response(.ok, "\(isSecure) \(request.tls?.version.description ?? "-") \(request.path)")
        } body: { server in
            let client = try SecureClient(port: server.port)
            try client.send("GET /where HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try client.readAnswer().text == "true TLS 1.3 /where")
        }
    }

    @Test func `a plain server's requests are not secure, and it has nothing to be read again`() async throws {
        try await serving { request in
            .response(.ok, "\(request.isSecure) \(request.tls == nil)")
        } body: { server in
            let connection = try TCPClient(port: server.port)
            try connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try connection.readAnswer().text == "false true")
            #expect(throws: ServerError.self) { try server.reloadCertificates() }
        }
    }

    @Test func `the subject of a client's certificate can be read`() async throws {
        var tls = configuration
        tls.clientCertificates = .required(authorities: .text(authority.pem))
        let ada = authority.issue("ada")
        try await serving { [tls] in
            $0.tls = tls
        } fetch: { request in
            .response(.ok, "this is \(request.tls?.peerSubject ?? "nobody").")
        } body: { server in
            let client = try SecureClient(port: server.port, certificate: ada)
            try client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try client.readAnswer().text == "this is CN=ada.")
        }
    }

    @Test func `messages and topics go over wss`() async throws {
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "all") },
            message: { ws, message in
                ws.send(message)
                ws.publish(message, to: "all")
            })
        try await servingSockets(handlers, count: 4) { server, clients in
            #expect(eventually { server.subscriberCount(of: "all") == 4 })
            let large = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
            for payload in [[1, 2, 3], large] {
                try clients[0].send(SocketClient.encode(.binary, payload))
                for client in clients {
                    let frame = try client.receiveFrame()
                    #expect(frame == payload)
                }
            }
        }
    }

    @Test func `certificates are exchanged under load, and no connection is lost`() async throws {
        let handlers = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })
        let renewed = (0..<20).map { authority.issue("number \($0)") }
        try await servingSockets(handlers, count: 8) { server, old in
            for round: UInt8 in 0..<20 {
                try server.reload(tls: TLSConfiguration(certificates: [renewed[Int(round)]]))
                let new = try SecureClient(port: server.port)
                #expect(new.tls.peerName == "number \(round)")
                for client in old { try client.send(SocketClient.encode(.binary, [round])) }
                for client in old { #expect(try client.receiveFrame() == [round]) }
            }
            #expect(throws: ServerError.self) {
                try server.reload(tls: TLSConfiguration(certificateFile: "/nowhere", keyFile: "/nowhere"))
            }
            #expect(server.pendingWebSockets == 8)
            let sum = server.statistics.reduce(ServerStatistics(), +)
            #expect(sum.handshakes == 28 && sum.handshakeFailures == 0)
        }
    }
}
