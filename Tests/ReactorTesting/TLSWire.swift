/// A TLS client on a simulated connection: carries bytes between the two until nothing moves.
package final class TLSWire {
    package let loop: SimulatedLoop
    package let socket: SimulatedPeer
    package let tls: TLSPeer

    package init(_ loop: SimulatedLoop, _ options: TLSPeer.Options = .init(), resuming session: TLSPeer.Session? = nil)
    {
        self.loop = loop
        socket = loop.connect()
        tls = TLSPeer(options, resuming: session)
    }

    package func handshake() throws(TLSPeer.Failure) {
        try exchange()
        if !tls.isSecured { throw .failed("the handshake does not end") }
    }

    /// TLS 1.3's client is done before the server has looked at its certificate: the verdict comes behind.
    package func handshakeAndExchange() throws(TLSPeer.Failure) {
        try handshake()
        try exchange()
    }

    /// Until nothing moves.
    package func exchange() throws(TLSPeer.Failure) {
        repeat {
            try tls.receive(socket.takeReceivedBytes())
            let bytes = tls.takeOutput()
            if !bytes.isEmpty { socket.send(bytes) }
            loop.rest()
        } while !socket.receivedBytes.isEmpty
    }
}
