import Reactor
import SimulatedKernel

@testable import Ringcast
@testable import RingcastCluster

/// A backplane's loop in virtual time, and an engine that the test plays.
final class EngineWorld {
    let node: ClusterNode
    let outbox = Outbox(byteLimit: 10_000)
    let interests = InterestOutbox()
    let history = HistoryOutbox(byteLimit: 10_000)
    let loop: SimulatedLoop
    private let language: any EngineLanguage

    /// - Parameter resolver: for an engine that has a name.
    init(
        _ language: any EngineLanguage, host: String = "10.0.0.1", maxDelay: Duration = .milliseconds(1),
        resolver: Resolver = Resolver(threadLimit: 0)
    ) throws {
        self.language = language
        node = ClusterNode(
            Cluster { _ throws(ServerError) in throw ServerError("this test makes its own backplane") },
            keepsHistories: true)
        let options = EngineOptions(
            language: language, address: try EngineAddress("redis://\(host)", schemes: ["redis": false], port: 1),
            tls: nil, waitingBytes: 10_000,
            reconnect: ReconnectPolicy(initialDelay: .milliseconds(1), maxDelay: maxDelay),
            resolver: resolver)
        let (node, outbox, interests, history) = (node, outbox, interests, history)
        loop = SimulatedLoop { EngineLoop($0, options, node, outbox, interests, history) }
        loop.ask { ($0.installedHandler as? EngineLoop)?.begin() }
        loop.rest()
    }

    deinit { loop.stop() }

    /// The engine's side of the connections that the loop has begun since the last call, which come up.
    func accept(_ count: Int) -> [EnginePeer] {
        let peers = (0..<count).map { _ in loop.driver.takeOutboundPeer() }
        for peer in peers { peer.connectResult = 0 }
        loop.rest()
        return peers.map { EnginePeer(peer: $0, loop: loop) }
    }

    func publish(_ text: String, to topic: Topic) {
        _ = outbox.add { bytes in
            let payload = Array(text.utf8)
            unsafe payload.withUnsafeBytes {
                unsafe language.appendPublish(
                    Envelope.header(isText: true, node: node.id), $0, to: topic, into: &bytes)
            }
        }
        loop.rest()
    }

    var isConnected: Bool { node.statistics.isConnected }
}

/// One connection, as the engine sees it.
struct EnginePeer {
    let peer: SimulatedPeer
    let loop: SimulatedLoop

    /// What the node has said since the last call.
    func heard() -> String { String(decoding: peer.takeReceivedBytes(), as: UTF8.self) }

    func say(_ text: String) {
        peer.send(Array(text.utf8))
        loop.rest()
    }

    func reset() {
        peer.reset()
        loop.rest()
    }
}
