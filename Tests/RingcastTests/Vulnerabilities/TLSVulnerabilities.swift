import Reactor
import ReactorTesting
import Testing

@testable import Ringcast

/// Handshakes that cost more than they send. Slow ones and floods of them are in `TLSHandshakeTests` and
/// `HandshakeBoundTests`; what OpenSSL allocates for a hello that it accepts is its own, 128 KiB at the most.
@Suite(.endingAll) struct TLSVulnerabilities {
    private func server() -> SimulatedServer {
        let certificate = TestAuthority().issue("localhost")
        return SimulatedServer(
            { $0.tls = TLSConfiguration(certificates: [certificate]) }, fetch: { _ in .response(.ok, "hello") })
    }

    /// The record of a handshake message of which so many bytes are declared, and none comes.
    @Test(arguments: [0xFF_FFFF, 0x80_0000, 0x02_1000])
    func `CVE-2026-45416: a hello of up to 16 MiB is refused by its length, before a byte of it came`(length: Int) {
        let server = server()
        let peer = server.connect()
        peer.send(
            [0x16, 3, 1, 0, 4, 1] + [16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) })
        server.rest()
        #expect(peer.hasSeenEnd && server.simulation.loop.statistics.handshakeFailures.value == 1)
        #expect(server.simulation.loop.statistics.bytesIn.value == 9)
    }

    /// Whoever begins anew with each record does the square of what has come. What OpenSSL does is not to be counted;
    /// the loop takes all that is there in one step of a handshake, of which a turn has eight.
    @Test(arguments: [1, 2, 16])
    func `CWE-407: a hello in many records is one step, however many there are`(size: Int) throws {
        let server = server()
        let wire = TLSWire(server.simulation)
        server.rest()
        try wire.tls.receive([])
        let hello = wire.tls.takeOutput().dropFirst(5)
        let records = stride(from: hello.startIndex, to: hello.endIndex, by: size).map { start in
            let part = hello[start..<min(start + size, hello.endIndex)]
            return [0x16, 3, 1, 0, UInt8(part.count)] + part
        }
        #expect(records.count > 10)
        wire.socket.send(Array(records.joined()))
        for _ in 0..<3 { server.simulation.turn() }
        #expect(!wire.socket.receivedBytes.isEmpty, "answered within three turns")
        try wire.handshake()
        wire.tls.send(Array("GET / HTTP/1.1\r\nHost: t\r\n\r\n".utf8))
        try wire.exchange()
        #expect(String(decoding: wire.tls.received, as: UTF8.self).hasSuffix("hello"))
    }
}
