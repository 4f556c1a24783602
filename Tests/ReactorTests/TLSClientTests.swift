import ReactorTesting
import Testing

@testable import Reactor

/// A loop as TLS client, against a loop as server: their simulated sockets are tied together.
@Suite(.endingAll) struct TLSClientTests {
    private let server = RecordingHandler()
    private let client = StartingTLS()
    private let authority = TestAuthority()

    /// Connects, shakes hands as far as that goes, and gives both loops.
    private func connect(
        _ configuration: TLSClientConfiguration, host: String, names: [String] = ["DNS:localhost", "IP:127.0.0.1"],
        _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) throws -> Tie {
        var serving = TLSConfiguration(certificates: [authority.issue("localhost", names: names)])
        change(&serving)
        let (server, client) = (server, client)
        client.tls = try TLSClient(configuration: configuration)
        client.host = host
        let serverLoop = try SimulatedLoop(tls: TLSServer(serving)) { _ in server }
        let tie = Tie(server: serverLoop, client: SimulatedLoop { _ in client })
        tie.exchange()
        return tie
    }

    private var trusting: TLSClientConfiguration {
        TLSClientConfiguration(trust: .authorities(.text(authority.pem)))
    }

    @Test func `a client that knows the authority and the host's name is secured, and talks`() throws {
        server.onReceived = { bytes, connection in
            connection.send(Array(bytes.reversed()))
            return bytes.count
        }
        client.onSecured = { connection in
            let tls = connection.tls
            #expect(tls?.applicationProtocol == "http/1.1")
            connection.send([1, 2, 3])
        }
        let tie = try connect(trusting, host: "localhost")
        #expect(client.events == ["started", "secured", "received [3, 2, 1]"])
        #expect(server.events == [.opened, .received([1, 2, 3])])
        tie.end()
    }

    @Test func `an address is looked for among the certificate's addresses, and not sent as a name`() throws {
        let tie = try connect(trusting, host: "127.0.0.1")
        #expect(client.events == ["started", "secured"])
        server.withEach { connection in
            let tls = connection.tls
            #expect(tls != nil && tls?.serverName == nil)
        }
        tie.end()
    }

    @Test(arguments: ["example.org", "127.0.0.2"])
    func `a certificate for another host is refused`(host: String) throws {
        let tie = try connect(trusting, host: host)
        #expect(
            client.failure.hasPrefix("the peer's certificate is not accepted") && client.failure.contains("mismatch"))
        #expect(server.events.isEmpty || server.closedCount == 1)
        tie.end()
    }

    @Test func `another name than the host's can be asked for`() throws {
        var configuration = trusting
        configuration.serverName = "inside.example"
        let tie = try connect(configuration, host: "127.0.0.1", names: ["DNS:inside.example"])
        #expect(client.events == ["started", "secured"])
        tie.end()
    }

    @Test func `an authority that nobody knows is refused, unless anybody is believed`() throws {
        let tie = try connect(TLSClientConfiguration(), host: "localhost")
        #expect(client.failure.contains("unable to get local issuer certificate"))
        tie.end()
        client.events = []
        let insecure = try connect(TLSClientConfiguration(trust: .anybody), host: "elsewhere")
        #expect(client.events == ["started", "secured"])
        insecure.end()
    }

    @Test func `who does not believe a certificate tells the server why, before it is told itself`() throws {
        let journal = LogJournal()
        let serving = try TLSServer(TLSConfiguration(certificates: [authority.issue("localhost")]))
        let serverLoop = SimulatedLoop(tls: serving, log: { journal.note($0, $1) }) { _ in server }
        client.tls = try TLSClient(configuration: TLSClientConfiguration())
        let clientLoop = SimulatedLoop { _ in client }
        let (towardsClient, towardsServer) = (serverLoop.connect(), clientLoop.connect())
        clientLoop.rest()
        towardsClient.send(towardsServer.takeReceivedBytes())
        serverLoop.rest()
        var alert: [UInt8] = []
        client.onFailed = { alert = towardsServer.receivedBytes }
        towardsServer.send(towardsClient.takeReceivedBytes())
        clientLoop.rest()
        #expect(client.events.count == 2 && !client.failure.isEmpty && !alert.isEmpty)
        towardsClient.send(alert)
        serverLoop.rest()
        let lines = journal.lines
        #expect(lines.count == 1)
        #expect(lines.last?.hasSuffix("the peer does not know the authority behind the certificate") == true)
    }

    @Test func `a client shows its certificate to whom asks for it`() throws {
        var configuration = trusting
        configuration.certificate = authority.issue("ada")
        let tie = try connect(configuration, host: "localhost") {
            $0.clientCertificates = .required(authorities: .text(authority.pem))
        }
        server.withEach { connection in
            let tls = connection.tls
            #expect(tls?.peerSubject == "CN=ada")
        }
        #expect(client.events == ["started", "secured"] && server.open.count == 1)
        tie.end()
    }

    @Test func `a server that speaks no TLS is told of`() throws {
        let journal = LogJournal()
        client.tls = try TLSClient(configuration: trusting)
        let loop = SimulatedLoop(log: { journal.note($0, $1) }) { _ in client }
        let peer = loop.connect()
        loop.rest()
        peer.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        loop.rest()
        #expect(client.events == ["started", "failed: what came was not TLS"])
        #expect(journal.lines == [], "its handler has been told: a line would say it twice")
        peer.end()
        loop.rest()
        #expect(client.events.last == "closed")
    }

    @Test func `a server that goes away in the handshake is told of`() throws {
        client.tls = try TLSClient(configuration: trusting)
        let loop = SimulatedLoop { _ in client }
        let peer = loop.connect()
        loop.rest()
        peer.end()
        loop.rest()
        #expect(
            client.events == ["started", "failed: the peer closed the connection in the handshake", "closed"])
    }

    @Test func `plain bytes that nobody had taken when TLS began fail the handshake`() throws {
        client.startsWithBytes = true
        let tie = try connect(trusting, host: "localhost")
        tie.sendToClient(Array("220 go ahead".utf8))
        tie.exchange()
        #expect(client.events == ["started", "failed: plain bytes came in front of the handshake"])
        tie.end()
    }

    @Test func `what is queued while the hands are shaken goes out behind them, and nothing of it before`() throws {
        client.onStarted = { connection in connection.send(Array("secret".utf8)) }
        let tie = try connect(trusting, host: "localhost")
        #expect(client.events == ["started", "secured"])
        #expect(server.events == [.opened, .received(Array("secret".utf8))])
        #expect(!tie.carried.contains { $0.contains(Array("secret".utf8)) })
        tie.end()
    }
}

/// Begins TLS as a client on each connection.
final class StartingTLS: ConnectionHandler {
    var tls: TLSClient?
    var host = "localhost"
    /// Whether TLS begins with the first plain bytes, of which nothing is taken.
    var startsWithBytes = false
    var events: [String] = []
    var failure = ""
    var onStarted: (Connection) -> Void = { _ in }
    var onSecured: (Connection) -> Void = { _ in }
    var onFailed: () -> Void = {}

    func opened(_ connection: Connection) {
        if !startsWithBytes { start(connection) }
    }

    private func start(_ connection: Connection) {
        let isStarted = connection.startTLS(tls!, hostname: host)
        events.append(isStarted ? "started" : "not started")
        onStarted(connection)
    }

    func secured(_ connection: Connection) {
        events.append("secured")
        onSecured(connection)
    }

    func securingFailed(_ connection: Connection, _ reason: String) {
        events.append("failed: \(reason)")
        failure = reason
        onFailed()
    }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        if startsWithBytes {
            startsWithBytes = false
            start(connection)
            return 0
        }
        events.append("received \(unsafe bytes.withUnsafeBytes { unsafe Array($0) })")
        return bytes.byteCount
    }

    func closed(_ connection: Connection, _ reason: DisconnectReason) { events.append("closed") }
}

/// Two loops, one connection between them.
final class Tie {
    private let loops: [SimulatedLoop]
    private let peers: [SimulatedPeer]
    /// What went over the wire, in pieces.
    private(set) var carried: [[UInt8]] = []

    init(server: SimulatedLoop, client: SimulatedLoop) {
        loops = [server, client]
        peers = loops.map { $0.connect() }
    }

    /// Plain bytes in front of the server's.
    func sendToClient(_ bytes: [UInt8]) { peers[1].send(bytes) }

    func exchange() {
        var moves = true
        while moves {
            moves = false
            for side in 0...1 {
                loops[side].rest()
                let bytes = peers[side].takeReceivedBytes()
                guard !bytes.isEmpty else { continue }
                moves = true
                carried.append(bytes)
                if !peers[1 - side].isClosed { peers[1 - side].send(bytes) }
            }
        }
    }

    func end() {
        for peer in peers { peer.end() }
        for loop in loops { loop.stop() }
    }
}
