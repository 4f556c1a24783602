import Reactor
internal import SimulatedKernel

/// A client's end of a connection to a `TestServer`, and what can go wrong with it: `TestClient` and `TestRequest` are
/// such. Used by the task that uses the server; whatever is done or looked at, the server has done its part of it when
/// the call returns, unless the network has a delay.
public class TestConnection {
    let network: TestNetwork
    private let peer: SimulatedPeer
    private var uplinkTime: UInt64 = 0
    private var downlinkTime: UInt64 = 0
    /// The server's end of the connection is under way, or has come.
    private var endIsUnderWay = false
    private var endHasCome = false
    private var hasEndedItsSide = false

    init(_ network: TestNetwork, loop: Int, address: SocketAddress?) {
        self.network = network
        peer = network.group.loops[loop].connect()
        peer.address = address
        network.add(self)
    }

    /// Whether neither side has ended the connection.
    public var isConnected: Bool {
        network.rest()
        return !endHasCome && !hasEndedItsSide
    }

    /// Sends bytes as they are: what no well-behaved client would say. Returns false, and sends nothing, once either
    /// side has ended the connection.
    @discardableResult
    public func send(raw bytes: [UInt8]) -> Bool {
        guard isConnected else { return false }
        transmit(bytes)
        network.rest()
        return true
    }

    /// Reads nothing from now on, so that what the server sends fills its socket, and then waits in the server:
    /// backpressure, slow consumers, write stalls. Pings and Close frames are not answered either.
    /// - Parameter byteCount: what the server's socket still takes before it is full.
    public func stall(after byteCount: Int = 0) {
        network.rest()
        peer.window = byteCount
    }

    /// Ends `stall`: what has waited comes.
    public func resume() {
        peer.window = .max
        network.rest()
    }

    /// Cuts the connection (a TCP reset), as a process that is killed or a lost network does.
    public func reset() {
        guard isConnected else { return }
        resetItsSide()
        connectionEnded()
        network.rest()
    }

    /// Ends this side (a TCP FIN) without a Close frame; what the server still sends is received.
    public func end() {
        endItsSide()
        network.rest()
    }

    // MARK: the client behind it

    /// Sends without bringing the server to rest: from within that.
    func transmit(_ bytes: [UInt8]) {
        guard !hasEndedItsSide else { return }
        network.send(behind: &uplinkTime) { [peer] in peer.send(bytes) }
    }

    /// `end`, from within a rest.
    func endItsSide() {
        guard !hasEndedItsSide else { return }
        hasEndedItsSide = true
        network.send(behind: &uplinkTime) { [peer] in peer.end() }
    }

    /// `reset`, from within a rest.
    func resetItsSide() {
        guard !hasEndedItsSide else { return }
        hasEndedItsSide = true
        network.send(behind: &uplinkTime) { [peer] in peer.reset() }
    }

    /// Bytes of the server have come.
    func received(_ bytes: [UInt8]) {}

    /// Nothing more comes.
    func connectionEnded() {}

    /// Whether nothing can happen on it any more.
    var isOver: Bool { endHasCome && (peer.isClosed || peer.wasRefused) }

    /// Takes what the server has sent. Returns whether that was anything.
    func collect() -> Bool {
        var isAny = false
        let bytes = peer.takeReceivedBytes()
        if !bytes.isEmpty {
            isAny = true
            network.send(behind: &downlinkTime) { [self] in received(bytes) }
        }
        if !endIsUnderWay, peer.hasSeenEnd || peer.hasSeenReset || peer.wasRefused {
            isAny = true
            endIsUnderWay = true
            network.send(behind: &downlinkTime) { [self] in
                endHasCome = true
                connectionEnded()
                endItsSide()
            }
        }
        return isAny
    }
}
