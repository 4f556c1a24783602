import Reactor
import ReactorTesting
import Testing

@testable import Ringcast

/// Connections that have not shaken hands hold descriptors and memory as all others do: the bounds count them.
@Suite(.blocking) struct HandshakeBoundTests {
    private let tls = TLSConfiguration(certificates: [TestAuthority().issue("localhost")])

    /// One loop, over TLS.
    private func serving(
        _ change: @Sendable (inout ServerConfiguration) -> Void, body: @Sendable (Server) throws -> Void
    ) async throws {
        let tls = tls
        try await RingcastTests.serving(
            { configuration in
                (configuration.tls, configuration.loops) = (tls, .count(1))
                change(&configuration)
            }, fetch: { _ in .response(.ok) }, body: body)
    }

    private func silentClients(_ count: Int, _ server: Server) throws -> [TCPClient] {
        try (0..<count).map { _ in try TCPClient(port: server.port) }
    }

    /// The status of the answer to a request over TLS; nil: the connection was cut.
    private func status(of server: Server) -> String? {
        guard let client = try? SecureClient(port: server.port) else { return nil }
        try? client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return (try? client.readAnswer(hasBody: false)).map { "\($0.status)" }
    }

    @Test func `connections that never say hello fill the server, and make room when they go`() async throws {
        try await serving {
            $0.limits.connections = 4
        } body: { server in
            var silent = try silentClients(4, server)
            #expect(status(of: server) == "503", "over the bound, but told so")
            // These might want to be told as well.
            var others = try silentClients(ConnectionLedger.refusalsPerLoop, server)
            for cut in try silentClients(5, server) { #expect(try cut.isAtEnd()) }
            #expect(status(of: server) == nil)
            others.removeLast().reset()
            #expect(eventually { status(of: server) == "503" })
            silent.removeLast().reset()
            #expect(eventually { status(of: server) == "200" })
        }
    }

    @Test func `the bound per address counts them too`() async throws {
        try await serving {
            $0.hostname = nil
            $0.limits.connectionsPerAddress = 2
        } body: { server in
            var clients = try silentClients(2 + ConnectionLedger.refusalsPerLoop, server)
            #expect(try TCPClient(port: server.port).isAtEnd())
            clients.append(try TCPClient(ipv6Port: server.port))
            #expect(eventually { server.core.ledger.ownerCount == 2 }, "another address has room")
            clients = []
            #expect(eventually { server.core.ledger.ownerCount == 0 })
            #expect(eventually { status(of: server) == "200" })
        }
    }

    @Test func `a handshake that takes too long or fails gives its place back`() throws {
        let server = SimulatedServer {
            ($0.tls, $0.limits.connections) = (tls, 1)
        } fetch: { _ in
            .response(.ok)
        }
        func answer() throws -> String {
            let wire = TLSWire(server.simulation)
            try wire.handshake()
            wire.tls.send(Array("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
            try wire.exchange()
            wire.socket.end()
            server.rest()
            return String(decoding: wire.tls.received.dropFirst(9).prefix(3), as: UTF8.self)
        }
        let silent = server.connect()
        #expect(try answer() == "503")
        server.advance(.seconds(11))
        #expect(silent.isClosed)
        #expect(try answer() == "200")
        let babbling = server.connect()
        #expect(try answer() == "503")
        babbling.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        babbling.end()
        server.rest()
        #expect(babbling.isClosed)
        #expect(try answer() == "200")
    }
}
