import ReactorTesting
import Synchronization
import Testing

@testable import Reactor

/// How a TLS connection comes about, or does not.
@Suite(.endingAll) struct TLSHandshakeTests {
    private let handler = RecordingHandler()
    private let authority = TestAuthority()
    private let journal = LogJournal()

    private func loop(_ change: (inout TLSConfiguration) -> Void = { _ in }) throws -> SimulatedLoop {
        SimulatedLoop(tls: try server(change), log: { [journal] in journal.note($0, $1) }) { _ in handler }
    }

    private func server(_ change: (inout TLSConfiguration) -> Void = { _ in }) throws -> TLSServer {
        var configuration = TLSConfiguration(certificates: [authority.issue("localhost")])
        change(&configuration)
        return try TLSServer(configuration)
    }

    private func peer(_ change: (inout TLSPeer.Options) -> Void) -> TLSPeer.Options {
        var options = TLSPeer.Options()
        change(&options)
        return options
    }

    // MARK: attacks

    @Test func `slow TLS: a handshake that is not done after ten seconds is cut`() throws {
        let loop = try loop()
        let silent = loop.connect()
        let trickling = loop.connect()
        let hello = TLSPeer()
        try hello.receive([])
        let bytes = hello.takeOutput()
        loop.rest()
        for byte in bytes.prefix(9) {
            trickling.send([byte])
            loop.advance(milliseconds: 1_000)
        }
        #expect(!silent.isClosed && !trickling.isClosed)
        loop.advance(milliseconds: 1_200)
        #expect(silent.isClosed && trickling.isClosed)
        #expect(handler.events.isEmpty && loop.loop.connectionCount == 0)
        #expect(loop.loop.statistics.handshakeFailures.value == 2)
        #expect(journal.lines.contains { $0.contains("it took too long") })
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "plain HTTP was spoken"), ("\u{1}\u{2}\u{3} garbage garbage", "not TLS"),
        (String(repeating: "\u{16}\u{3}\u{1}", count: 5_000), ""),
    ])
    func `what is not a ClientHello ends the connection, which nobody hears of but the log`(
        _ bytes: String, _ sentence: String
    ) throws {
        let loop = try loop()
        let peer = loop.connect()
        loop.rest()
        peer.send(Array(bytes.utf8))
        loop.rest()
        #expect(peer.hasSeenEnd && !peer.hasSeenReset)
        peer.end()
        loop.advance(milliseconds: 3_000)
        #expect(peer.isClosed && handler.events.isEmpty)
        #expect(loop.loop.statistics.handshakeFailures.value == 1)
        #expect(journal.lines.count == 1 && journal.lines[0].contains(sentence))
    }

    @Test func `failures fill no log`() throws {
        let loop = try loop()
        for _ in 0..<200 {
            let peer = loop.connect()
            peer.send(Array("garbage!".utf8))
            peer.end()
            loop.rest()
        }
        #expect(loop.loop.statistics.handshakeFailures.value == 200)
        #expect(journal.lines.count == 10)
    }

    @Test func `a turn takes eight steps of handshakes, and nobody is forgotten`() throws {
        let loop = try loop()
        let wires = (0..<40).map { _ in TLSWire(loop) }
        loop.rest()
        for wire in wires {
            try wire.tls.receive([])
            wire.socket.send(wire.tls.takeOutput())
        }
        var answered = [0]
        for _ in 0..<5 {
            loop.turn()
            answered.append(wires.count { !$0.socket.receivedBytes.isEmpty })
        }
        #expect(zip(answered, answered.dropFirst()).allSatisfy { $1 - $0 <= TLSWork.stepsPerTurn })
        loop.rest()
        for wire in wires { try wire.exchange() }
        #expect(wires.allSatisfy(\.tls.isSecured) && handler.open.count == 40)
    }

    @Test func `what waits for its step of a handshake has a bound`() throws {
        let loop = try loop()
        let busy = loop.connect(40)
        let flood = loop.connect()
        loop.rest()
        let hello = TLSPeer()
        try hello.receive([])
        let beginning = Array(hello.takeOutput().prefix(3))
        for peer in busy { peer.send(beginning) }
        // It comes behind all of them, and sends more in a few turns than a handshake has.
        flood.send([UInt8](repeating: 0x16, count: 300_000))
        loop.turn(10)
        #expect(journal.lines.contains { $0.contains("too many bytes for a handshake") }, "\(journal.lines)")
        #expect(flood.hasSeenEnd)
        #expect(busy.allSatisfy { !$0.hasSeenEnd && !$0.isClosed })
    }

    @Test func `renegotiation is refused`() throws {
        let wire = try TLSWire(loop(), peer { $0.isTLS12 = true })
        try wire.handshake()
        wire.tls.renegotiate()
        #expect(throws: TLSPeer.Failure.failed("no renegotiation")) { try wire.exchange() }
        #expect(wire.loop.loop.statistics.handshakes.value == 1)
    }

    @Test func `a few key updates are answered, a flood of them is cut`() throws {
        let wire = try TLSWire(loop())
        try wire.handshake()
        for number: UInt8 in 0..<20 {
            wire.tls.updateKeys()
            wire.tls.send([number])
            try wire.exchange()
        }
        #expect(handler.events.count == 21 && handler.closedCount == 0)
        for _ in 0..<200 {
            wire.tls.updateKeys()
            wire.socket.send(wire.tls.takeOutput())
        }
        wire.loop.rest()
        #expect(wire.socket.hasSeenEnd)
        #expect(journal.lines.contains { $0.contains("too many key updates") })
    }

    // MARK: what is agreed on

    @Test func `the client's host name chooses the certificate`() throws {
        let loop = try loop { configuration in
            configuration.certificates = [
                authority.issue("first", names: ["DNS:first.example"]),
                authority.issue("second", names: ["DNS:second.example", "DNS:*.wild.example"]),
            ]
        }
        for (host, name) in [
            ("first.example", "first"), ("second.example", "second"), ("a.wild.example", "second"), ("other", "first"),
        ] {
            let wire = TLSWire(loop, peer { $0.serverName = host })
            try wire.handshake()
            #expect(wire.tls.peerName == name)
        }
        handler.with(handler.open[1]) { connection in
            let tls = connection.tls
            #expect(tls?.serverName == "second.example" && tls?.version == .v1_3)
        }
        let nameless = TLSWire(loop)
        try nameless.handshake()
        #expect(nameless.tls.peerName == "first")
    }

    @Test func `the application protocol is chosen, and none in common is refused`() throws {
        let loop = try loop()
        let both = TLSWire(loop, peer { $0.protocols = ["h2", "http/1.1"] })
        try both.handshake()
        #expect(both.tls.chosenProtocol == "http/1.1")
        let other = TLSWire(loop, peer { $0.protocols = ["h2"] })
        #expect(throws: TLSPeer.Failure.failed("tlsv1 alert no application protocol")) { try other.handshake() }
        #expect(handler.open.count == 1)
    }

    @Test func `a version below the minimum is refused`() throws {
        let loop = try loop { $0.minVersion = .v1_3 }
        let old = TLSWire(loop, peer { $0.isTLS12 = true })
        #expect(throws: TLSPeer.Failure.failed("tlsv1 alert protocol version")) { try old.handshake() }
        #expect(journal.lines.contains { $0.contains("no TLS version in common") })
    }

    @Test(arguments: [true, false])
    func `a session goes on where it was, also after a reload`(isTLS12: Bool) throws {
        let server = try server()
        let loop = SimulatedLoop(tls: server) { _ in handler }
        let first = TLSWire(loop, peer { $0.isTLS12 = isTLS12 })
        try first.handshake()
        try first.exchange()
        let second = TLSWire(loop, peer { $0.isTLS12 = isTLS12 }, resuming: first.tls.session)
        try second.handshake()
        #expect(!first.tls.isResumed && second.tls.isResumed)
        _ = try server.reload(TLSConfiguration(certificates: [authority.issue("renewed")]))
        let third = TLSWire(loop, peer { $0.isTLS12 = isTLS12 }, resuming: first.tls.session)
        try third.handshake()
        let fresh = TLSWire(loop)
        try fresh.handshake()
        #expect(third.tls.isResumed && fresh.tls.peerName == "renewed")
        #expect(loop.loop.statistics.resumptions.value == 2 && loop.loop.statistics.handshakes.value == 4)
    }

    @Test(arguments: [true, false])
    func `a ticket's key is changed every 12 hours, and accepted for 12 more`(isTLS12: Bool) throws {
        let server = try server()
        let loop = SimulatedLoop(tls: server) { _ in handler }
        let hour: UInt64 = 3_600_000
        var wires: [TLSWire] = []  // a session is spoilt when its connection is freed
        func isResumed(_ session: TLSPeer.Session?) throws -> (Bool, TLSPeer.Session?) {
            let wire = TLSWire(loop, peer { $0.isTLS12 = isTLS12 }, resuming: session)
            wires.append(wire)
            try wire.handshakeAndExchange()
            handler.withEach { $0.abort() }
            loop.rest()
            return (wire.tls.isResumed, wire.tls.session)
        }
        let (_, first) = try isResumed(nil)
        loop.advance(milliseconds: 11 * hour)
        #expect(try isResumed(first).0)
        loop.advance(milliseconds: 12 * hour)  // 23
        let (goesOn, second) = try isResumed(first)
        #expect(goesOn, "it was sealed with the key before")
        _ = try server.reload(TLSConfiguration(certificates: [authority.issue("renewed")]))
        loop.advance(milliseconds: 13 * hour)  // 36
        #expect(try !isResumed(first).0)
        #expect(try isResumed(second).0, "the key that a ticket was renewed with has a life of its own")
        loop.advance(milliseconds: 48 * hour)
        #expect(try !isResumed(second).0, "nobody used the keys for long")
    }

    @Test func `a reload keeps the connections that are there`() throws {
        handler.onReceived = { bytes, connection in
            connection.send(bytes)
            return bytes.count
        }
        let server = try server()
        let loop = SimulatedLoop(tls: server) { _ in handler }
        let old = TLSWire(loop)
        try old.handshake()
        let halfWay = TLSWire(loop)
        try halfWay.tls.receive([])
        halfWay.socket.send(halfWay.tls.takeOutput())
        loop.rest()
        _ = try server.reload(TLSConfiguration(certificates: [authority.issue("renewed")]))
        #expect(throws: ReactorError.self) { try server.reload(TLSConfiguration(certificates: [])) }
        try halfWay.handshake()
        let new = TLSWire(loop)
        try new.handshake()
        for (wire, name) in [(old, "localhost"), (halfWay, "localhost"), (new, "renewed")] {
            wire.tls.send([1, 2, 3])
            try wire.exchange()
            #expect(wire.tls.received == [1, 2, 3] && wire.tls.peerName == name)
        }
    }

    // MARK: client certificates

    private func certificate(of authority: TestAuthority) -> (chain: String, key: String) {
        let issued = authority.issue("ada")
        guard case .text(let chain) = issued.chain, case .text(let key) = issued.key else { fatalError("not text") }
        return (chain, key)
    }

    @Test(arguments: [true, false])
    func `a client certificate that is required is checked, and its subject can be read`(isTLS12: Bool) throws {
        let loop = try loop { $0.clientCertificates = .required(authorities: .text(authority.pem)) }
        let good = TLSWire(
            loop, peer { ($0.certificate, $0.isTLS12) = (certificate(of: authority), isTLS12) })
        try good.handshake()
        handler.withEach { connection in
            let tls = connection.tls
            #expect(tls?.peerSubject == "CN=ada")
        }
        let none = TLSWire(loop, peer { $0.isTLS12 = isTLS12 })
        #expect(throws: TLSPeer.Failure.self) { try none.handshakeAndExchange() }
        let foreign = TLSWire(
            loop, peer { ($0.certificate, $0.isTLS12) = (certificate(of: TestAuthority("Mallory")), isTLS12) })
        #expect(throws: TLSPeer.Failure.self) { try foreign.handshakeAndExchange() }
        #expect(handler.open.count == 1)
        #expect(journal.lines.contains { $0.contains("no certificate was shown") })
        #expect(journal.lines.contains { $0.contains("the peer's certificate is not accepted") })
    }

    @Test func `a client certificate that is optional may be missing, and must not be foreign`() throws {
        let loop = try loop { $0.clientCertificates = .optional(authorities: .text(authority.pem)) }
        let none = TLSWire(loop)
        try none.handshake()
        handler.withEach { connection in
            let tls = connection.tls
            #expect(tls != nil && tls?.peerSubject == nil)
        }
        let foreign = TLSWire(loop, peer { $0.certificate = certificate(of: TestAuthority("Mallory")) })
        #expect(throws: TLSPeer.Failure.self) { try foreign.handshakeAndExchange() }
    }
}

/// What loops have logged.
final class LogJournal: Sendable {
    private let list = Mutex<[String]>([])

    var lines: [String] { list.withLock { $0 } }

    func note(_ level: LogLevel, _ line: String) { list.withLock { $0.append(line) } }
}
