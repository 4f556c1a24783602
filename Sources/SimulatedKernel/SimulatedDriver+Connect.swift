package import Reactor
package import SystemCalls

/// Outbound connections: each goes to a peer of its own, which decides what comes of it.
extension SimulatedDriver {
    package func makeSocket(for address: ConnectAddress, from source: ConnectAddress?) throws(SystemError) -> Int32 {
        guard socketErrors.isEmpty else { throw SystemError(socketErrors.removeFirst()) }
        let peer = SimulatedPeer()
        let descriptor = makeDescriptor()
        peer.descriptor = descriptor
        openPeers.append(peer)
        peers[descriptor] = peer
        outboundPeers.append(peer)
        outboundAddresses.append(address)
        return descriptor
    }

    package func connect(_ socket: Int32, to address: ConnectAddress, token: Token) {
        let peer = peer(of: socket, "connect")
        law(!peer.hasConnect, "two connects on one socket")
        peer.hasConnect = true
        begin(token, on: socket)
        operations.append(.connect(socket, token))
    }

    /// The first of the loop's outbound connections that nobody has taken.
    package func takeOutboundPeer() -> SimulatedPeer { outboundPeers.removeFirst() }

    func moveConnects() {
        for peer in openPeers {
            guard let token = peer.connect, let result = peer.connectResult else { continue }
            peer.connect = nil
            answer(token, -result)
        }
    }
}
