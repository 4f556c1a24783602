import Reactor
import ReactorTesting
import Testing

@testable import Ringcast

/// One time covers the whole handshake, wherever it is stuck.
@Suite(.blocking, .timeLimit(.minutes(5))) struct ClientTimeoutTests {
    private func expectTimeout(
        _ phase: HandshakePhase, _ url: String, resolver: Resolver = .shared,
        sourceLocation: SourceLocation = #_sourceLocation, _ change: (inout ClientRequest) -> Void = { _ in }
    ) async throws {
        let group = try ClientGroup(configuration: ClientGroupConfiguration(), resolver: resolver)
        defer {
            group.stop()
            group.wait()
        }
        var request = try ClientRequest(url)
        change(&request)
        var timeout = Duration.milliseconds(200)
        var error: WebSocketClientError?
        // On a machine that is slow the time may be over in a phase before.
        while error != .timedOut(phase), timeout < .seconds(60) {
            request.handshakeTimeout = timeout
            error = await #expect(throws: WebSocketClientError.self, sourceLocation: sourceLocation) {
                _ = try await WebSocketClient.connect(request, group: group)
            }
            timeout *= 3
        }
        #expect(error == .timedOut(phase), sourceLocation: sourceLocation)
        #expect(eventually { group.statistics[0].connections == 0 }, sourceLocation: sourceLocation)
        #expect(group.attemptCount { _ in true } == 0, sourceLocation: sourceLocation)
    }

    @Test func `a name that is not resolved in time is given up, though its thread goes on`() async throws {
        let end = Journal<Int>()
        let resolver = Resolver(threadLimit: 1) { host, _ in
            while end.entries.isEmpty { pause(.milliseconds(1)) }
            return .failed(host)
        }
        try await expectTimeout(.nameResolution, "ws://somewhere.invalid/", resolver: resolver)
        // This one waits behind the first, and does not stay behind it.
        try await expectTimeout(.nameResolution, "ws://elsewhere.invalid/", resolver: resolver)
        #expect(resolver.threadCount == 1 && resolver.waitingCount == 0)
        end.note(1)
        #expect(eventually { resolver.threadCount == 0 })
    }

    @Test func `a host that swallows everything`() async throws {
        let hole = BlackHole()
        try await expectTimeout(.connection, "ws://127.0.0.1:\(hole.port)/")
    }

    @Test func `a proxy, TLS, and a server that say nothing`() async throws {
        let silent = ScriptedServer { try $0.readToEnd() }
        try await silent.run {
            try await expectTimeout(.proxy, "ws://somewhere.invalid/") {
                $0.proxy = HTTPProxy(hostname: "127.0.0.1", port: silent.port)
            }
            try await expectTimeout(.tls, "wss://127.0.0.1:\(silent.port)/")
            try await expectTimeout(.answer, silent.url)
        }
    }

    @Test func `a server and a proxy that drip their answers`() async throws {
        let dripping = ScriptedServer { peer in
            _ = try peer.readHead()
            try peer.send("HTTP/1.1 101 Switching Protocols\r\nX: ")
            while true {
                try peer.send("y")
                pause(.milliseconds(10))
            }
        }
        try await dripping.run {
            try await expectTimeout(.answer, dripping.url)
            try await expectTimeout(.proxy, "ws://somewhere.invalid/") {
                $0.proxy = HTTPProxy(hostname: "127.0.0.1", port: dripping.port)
            }
        }
    }

    @Test func `redirects do not give more time`() async throws {
        let slow = ScriptedServer { peer in
            _ = try peer.readHead()
            pause(.milliseconds(60))
            try peer.send("HTTP/1.1 307 Again\r\nLocation: /\r\n\r\n")
        }
        try await slow.run { try await expectTimeout(.answer, slow.url) { $0.maxRedirects = 1_000 } }
    }
}
