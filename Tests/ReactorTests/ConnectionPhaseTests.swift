import ReactorTesting
import Testing

@testable import Reactor

/// The phases of a connection: each arrow by the verb that makes it. That a loop makes no other one, it asserts itself
/// in every test.
@Suite(.endingAll) struct ConnectionPhaseTests {
    private let handler = RecordingHandler()

    @Test func `these are all arrows`() {
        let arrows: [ConnectionPhase: [ConnectionPhase]] = [
            .free: [.connecting, .handshaking, .open],
            .connecting: [.open, .ended],
            .handshaking: [.open, .closing, .ended],
            .open: [.handshaking, .closing, .ended],
            .closing: [.lingering, .ended],
            .lingering: [.ended],
            .ended: [.reported],
            .reported: [.free],
        ]
        for phase in ConnectionPhase.allCases {
            #expect(ConnectionPhase.allCases.filter(phase.canMove) == arrows[phase], "from \(phase)")
        }
    }

    @Test func `a connection costs no more than this, and a look at its phase is a comparison`() {
        #expect(MemoryLayout<ConnectionState>.size <= 104)
        #expect(ConnectionPhase.allCases.map(\.rawValue) == Array(0..<8))
        for (left, right) in zip(ConnectionPhase.allCases, ConnectionPhase.allCases.dropFirst()) {
            #expect(left < right && !(right < left))
        }
    }

    @Test func `in good order: open, closing, lingering, ended, free`() {
        let loop = SimulatedLoop { _ in handler }
        let peer = loop.connect()
        peer.window = 0
        loop.rest()
        #expect(phase(loop) == .open)
        var inClosed: ConnectionPhase?
        handler.onClosed = { connection, _ in inClosed = connection.slot.state.phase }
        handler.withEach { connection in
            connection.send([1])
            connection.close()
            connection.close()
        }
        loop.rest()
        #expect(phase(loop) == .closing)
        peer.makeRoom(1)
        loop.rest()
        #expect(phase(loop) == .lingering)
        handler.withEach { $0.close() }
        #expect(phase(loop) == .lingering)
        peer.end()
        loop.rest()
        #expect(inClosed == .ended && phase(loop) == .free)
        Connection(slot(loop)).close()
        Connection(slot(loop)).abort()
        #expect(phase(loop) == .free)
    }

    @Test(arguments: [ConnectionPhase.open, .closing, .lingering])
    func `abort: ended, reported, and free once the kernel has answered everything`(from phase: ConnectionPhase) {
        let loop = SimulatedLoop { _ in handler }
        let peer = loop.connect()
        peer.window = 0
        loop.rest()
        handler.withEach { connection in
            if phase == .closing { connection.send([1]) }
            if phase > .open { connection.close() }
            #expect(self.phase(loop) == phase)
            connection.abort()
            connection.close()
            #expect(self.phase(loop) == .ended)
        }
        loop.turn()
        #expect(self.phase(loop) == .reported && handler.closedCount == 1)
        Connection(slot(loop)).close()
        Connection(slot(loop)).abort()
        #expect(self.phase(loop) == .reported)
        loop.rest()
        #expect(self.phase(loop) == .free && handler.closedCount == 1)
    }

    @Test(arguments: [true, false])
    func `outbound: connecting, and open or ended`(succeeds: Bool) throws {
        let handler = OutboundHandler()
        let loop = SimulatedLoop { _ in handler }
        let slot = try unsafe loop.loop.connect(to: ConnectAddress(host: "192.0.2.1", port: 80)!, context: nil)
        loop.rest()
        #expect(slot.state.phase == .connecting)
        Connection(slot).resumeReceiving()  // asks nothing of a socket that is not connected
        loop.rest()
        loop.driver.outboundPeers[0].connectResult = succeeds ? 0 : 111
        loop.rest()
        #expect(slot.state.phase == (succeeds ? .open : .free))
        #expect(handler.phases == [succeeds ? .open : .ended])
    }

    @Test func `an outbound connection that is closed before it is there has ended`() throws {
        let handler = OutboundHandler()
        let loop = SimulatedLoop { _ in handler }
        let slot = try unsafe loop.loop.connect(to: ConnectAddress(host: "192.0.2.1", port: 80)!, context: nil)
        loop.rest()
        Connection(slot).close()
        #expect(slot.state.phase == .ended)
        loop.rest()
        #expect(slot.state.phase == .free && handler.phases == [.ended])
    }

    // MARK: TLS

    @Test func `a handshake leads to open, on both sides`() throws {
        let authority = TestAuthority()
        let client = StartingTLS()
        client.tls = try TLSClient(configuration: TLSClientConfiguration(trust: .authorities(.text(authority.pem))))
        var phases: [ConnectionPhase] = []
        client.onStarted = { phases.append($0.slot.state.phase) }
        client.onSecured = { phases.append($0.slot.state.phase) }
        let loop = SimulatedLoop(tls: try server(authority)) { _ in handler }
        let tie = Tie(server: loop, client: SimulatedLoop { _ in client })
        loop.turn()
        #expect(phase(loop) == .handshaking && handler.events.isEmpty)
        tie.exchange()
        #expect(phase(loop) == .open && handler.events == [.opened])
        #expect(phases == [.handshaking, .open])
        tie.end()
    }

    @Test func `a handshake that fails leads through closing to lingering, one that takes too long to ended`() throws {
        let loop = SimulatedLoop(tls: try server(TestAuthority())) { _ in handler }
        let peer = loop.connect()
        loop.rest()
        #expect(phase(loop) == .handshaking)
        peer.send(Array("this is not TLS".utf8))
        loop.rest()
        #expect(phase(loop) == .lingering)
        peer.end()
        loop.rest()
        let silent = loop.connect()
        loop.rest()
        #expect(phase(loop) == .handshaking)
        loop.advance(milliseconds: 11_000)
        #expect(phase(loop) == .free && silent.isClosed && handler.events.isEmpty)
    }

    private func server(_ authority: TestAuthority) throws -> TLSServer {
        try TLSServer(TLSConfiguration(certificates: [authority.issue("localhost", names: ["DNS:localhost"])]))
    }

    /// Of the loop's first slot, which a single connection has.
    private func slot(_ loop: SimulatedLoop) -> ConnectionSlot { loop.loop.state.connections[0] }
    private func phase(_ loop: SimulatedLoop) -> ConnectionPhase { slot(loop).state.phase }
}

/// Notes the phases in which it is called.
private final class OutboundHandler: ConnectionHandler {
    var phases: [ConnectionPhase] = []

    func connected(_ connection: Connection) { phases.append(connection.slot.state.phase) }
    func closed(_ connection: Connection, _ reason: DisconnectReason) { phases.append(connection.slot.state.phase) }
    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int { bytes.byteCount }
}
