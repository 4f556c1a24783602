import ReactorTesting
import Testing

@testable import Reactor

/// TLS over simulated connections: the loop is the server, OpenSSL itself the client.
@Suite struct TLSTests {
    private let handler = RecordingHandler()
    private let authority = TestAuthority()

    private func loop(
        _ change: (inout TLSConfiguration) -> Void = { _ in }, options: SimulatedDriver.Options = .init(),
        log: @escaping LoopLog = { _, _ in }
    ) throws -> SimulatedLoop {
        var configuration = TLSConfiguration(certificates: [authority.issue("localhost")])
        change(&configuration)
        return SimulatedLoop(options, tls: try TLSServer(configuration), log: log) { _ in handler }
    }

    @Test(arguments: [true, false])
    func `a connection is opened once its handshake is done, and speaks plainly to the handler`(isTLS12: Bool) throws {
        handler.onReceived = { bytes, connection in
            connection.send(Array(bytes.reversed()))
            return bytes.count
        }
        var options = TLSPeer.Options()
        options.isTLS12 = isTLS12
        let wire = try TLSWire(loop(), options)
        #expect(handler.events.isEmpty)
        try wire.handshake()
        #expect(handler.events == [.opened])
        #expect(wire.tls.version == (isTLS12 ? "TLSv1.2" : "TLSv1.3"))
        wire.tls.send([0x61, 0x62])
        try wire.exchange()
        #expect(wire.tls.takeReceived() == [0x62, 0x61])
        #expect(handler.events == [.opened, .received([0x61, 0x62])])
    }
}
