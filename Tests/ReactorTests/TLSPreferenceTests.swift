import ReactorTesting
import Testing

@testable import Reactor

/// What a server prefers, and what its clients are given to come back with.
@Suite(.endingAll) struct TLSPreferenceTests {
    private let authority = TestAuthority()
    private let server: TLSServer

    init() throws { server = try TLSServer(TLSConfiguration(certificates: [authority.issue("localhost")])) }

    private func secured(
        _ server: TLSServer? = nil, resuming session: TLSPeer.Session? = nil,
        _ change: (inout TLSPeer.Options) -> Void = { _ in }
    ) throws -> TLSPeer {
        var options = TLSPeer.Options()
        change(&options)
        let loop = SimulatedLoop(tls: server ?? self.server) { _ in RecordingHandler() }
        let wire = TLSWire(loop, options, resuming: session)
        try wire.handshakeAndExchange()
        return wire.tls
    }

    @Test(arguments: [
        ("TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
        ("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
        ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
    ])
    func `AES-128 goes first in TLS 1.3, but for clients that prefer ChaCha20`(_ offer: String, _ choice: String) throws
    {
        #expect(try secured { $0.suites = offer }.cipher == choice)
    }

    @Test(arguments: [
        ("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    ])
    func `and in TLS 1.2`(_ offer: String, _ choice: String) throws {
        #expect(try secured { ($0.ciphers, $0.isTLS12) = (offer, true) }.cipher == choice)
    }

    @Test func `each handshake gives one ticket, and each resumption the next`() throws {
        var tls = try secured()
        #expect(!tls.isResumed && tls.ticketCount == 1)
        for _ in 0..<3 {
            tls = try secured(resuming: tls.session)
            #expect(tls.isResumed && tls.ticketCount == 1)
        }
    }

    @Test func `the certificates that are sent are those that were given, whoever is trusted`() throws {
        var configuration = TLSConfiguration(certificates: [authority.issue("localhost")])
        configuration.clientCertificates = .optional(authorities: .text(authority.pem))
        #expect(try secured(TLSServer(configuration)).peerChainLength == 1)
        guard case .text(let leaf) = configuration.certificates[0].chain else { return }
        configuration.certificates[0].chain = .text(leaf + authority.pem)
        #expect(try secured(TLSServer(configuration)).peerChainLength == 2)
    }
}
