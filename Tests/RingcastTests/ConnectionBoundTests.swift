import Reactor
import ReactorTesting
import Testing

@testable import Ringcast

@Suite(.endingAll) struct ConnectionBoundTests {
    private static let silent = WebSocketHandlers<Void>(message: { _, _ in })

    @Test func `connections over the server's bound get 503, and one that ends makes room`() {
        let server = SimulatedServer(Self.silent) { $0.limits.connections = 3 }
        let sockets = (0..<3).map { _ in server.open() }
        for _ in 0..<10 {
            let refused = server.connect()
            #expect(String(decoding: refused.receivedBytes, as: UTF8.self).hasPrefix("HTTP/1.1 503"))
            #expect(refused.hasSeenEnd)
        }
        sockets[1].peer.reset()
        server.rest()
        // Those that were refused may still be draining: they take up no room.
        server.open().send("hello")
        #expect(String(decoding: server.connect().receivedBytes, as: UTF8.self).hasPrefix("HTTP/1.1 503"))
    }

    @Test func `a bound per address counts each address by itself, over all loops, and forgets who is gone`()
        async throws
    {
        try await serving(
            { configuration in
                configuration.hostname = nil
                configuration.limits.connectionsPerAddress = 4
            }, fetch: { _ in .response(.ok) }
        ) { server in
            let core = server.core
            var four = try (0..<4).map { _ in try TCPClient(port: server.port) }
            for client in four { #expect(try client.get("/").status == 200) }
            let refused = try TCPClient(port: server.port)
            #expect(try refused.readAnswer().status == 503)
            let six = try TCPClient(ipv6Port: server.port)
            #expect(try six.get("/").status == 200, "another address")
            #expect(core.ledger.ownerCount == 2)
            four.removeLast().reset()
            #expect(
                eventually {
                    guard let client = try? TCPClient(port: server.port) else { return false }
                    return (try? client.get("/").status) == 200
                })
            four = []
            #expect(eventually { core.ledger.ownerCount == 1 }, "only the IPv6 client is left")
        }
    }

    @Test func `who is over the bound of its address takes up no place of the server's`() async throws {
        try await serving(
            { configuration in
                configuration.hostname = nil
                configuration.limits.connections = 3
                configuration.limits.connectionsPerAddress = 1
            }, fetch: { _ in .response(.ok) }
        ) { server in
            let one = try TCPClient(port: server.port)
            #expect(try one.get("/").status == 200)
            for _ in 0..<5 { #expect(try TCPClient(port: server.port).readAnswer().status == 503) }
            #expect(try TCPClient(ipv6Port: server.port).get("/").status == 200)
            withExtendedLifetime(one) {}
        }
    }

    @Test func `an upgraded socket counts until its connection is closed`() {
        let server = SimulatedServer(Self.silent) { $0.limits.connections = 1 }
        let socket = server.open()
        socket.send(.close, [3, 232])
        #expect(socket.peer.hasSeenEnd)
        socket.peer.end()
        server.rest()
        _ = server.open()
    }
}
