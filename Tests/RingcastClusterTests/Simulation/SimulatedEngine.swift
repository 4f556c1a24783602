import ReactorTesting
import SimulatedKernel

@testable import Ringcast
@testable import RingcastCluster

/// An engine of a simulated cluster: publish and subscribe as Redis or NATS have it, by their own protocols. What it
/// handles it handles at once; the wires to it take their time.
final class SimulatedEngine {
    private let plan: ClusterPlan
    let ledger: ClusterLedger
    private let clock: VirtualClock
    /// In the order in which they were made, those that are over left out.
    private(set) var wires: [EngineWire] = []
    /// Until when nothing answers at its port, or takes what is said.
    var downUntil: UInt64 = 0
    /// Until when a place is cut off from it, without hearing so.
    var silentUntil = [UInt64](repeating: 0, count: ClusterPlan.nodeCount)
    /// Publishes from now on that it refuses (Redis).
    var refusals = 0

    init(_ plan: ClusterPlan, _ ledger: ClusterLedger, _ clock: VirtualClock) {
        (self.plan, self.ledger, self.clock) = (plan, ledger, clock)
    }

    var now: UInt64 { clock.milliseconds }
    var isDown: Bool { now < downUntil }

    /// Takes up the connections that a node has begun.
    func takeConnections(of node: SimulatedNode, _ random: inout SeededGenerator) {
        while !node.engineDriver.outboundPeers.isEmpty {
            let peer = node.engineDriver.takeOutboundPeer()
            let window = plan.windows.randomElement(using: &random)!
            wires.append(EngineWire(peer, of: node, window: window, EngineSide(isRedis: plan.isRedis), self))
        }
    }

    func holds(_ wire: EngineWire) -> Bool { now < silentUntil[wire.node.place] }

    /// Forgets the wires that are over.
    func sweep() { wires.removeAll(where: \.isOver) }

    /// All connections are lost, and all subscriptions.
    func restart(downFor time: UInt64, _ random: inout SeededGenerator) {
        downUntil = now + time
        for wire in wires { wire.cut(&random) }
    }

    /// A command to publish an envelope to a channel.
    /// - Returns: how many connections it was sent to; nil if it is refused.
    func publish(_ envelope: [UInt8], to channel: String, by wire: EngineWire) -> Int? {
        if refusals > 0 {
            refusals -= 1
            return nil
        }
        let publication = ledger.processed(envelope, channel)
        var count = 0
        for other in wires where plan.isRedis || other !== wire {
            guard !other.side.isClosed, other.side.send(envelope, to: channel) else { continue }
            count += 1
            if let publication { ledger.forwarded(publication, over: other) }
        }
        return count
    }

    /// What it would send to the node, by its connections that live.
    func channels(of node: SimulatedNode) -> Set<String> {
        Set(wires.lazy.filter { $0.node === node && !$0.isOver }.flatMap { $0.side.channels })
    }
}

/// A connection between a node and the engine: bytes in order each way, which take their time, and of which what is
/// under way is lost when it is cut.
final class EngineWire {
    let node: SimulatedNode
    let side: EngineSide
    private let peer: SimulatedPeer
    private unowned let engine: SimulatedEngine
    private var toEngine: [UInt8] = []
    /// Until when it moves nothing.
    var heldUntil: UInt64 = 0
    private var isConnected = false
    /// Neither side gets anything more by it.
    private(set) var isOver = false
    /// How many gaps the node had been told of when it was lost to the node.
    private(set) var gapsAtLoss: Int?

    init(_ peer: SimulatedPeer, of node: SimulatedNode, window: Int, _ side: EngineSide, _ engine: SimulatedEngine) {
        (self.peer, self.node, self.side, self.engine) = (peer, node, side, engine)
        peer.window = window
    }

    private var isHeld: Bool { engine.now < heldUntil || engine.holds(self) }

    /// Whether something is under way that `move` would move.
    var isBusy: Bool {
        !isOver && !isHeld
            && (!isConnected || peer.isClosed || !peer.receivedBytes.isEmpty || !toEngine.isEmpty
                || gapsAtLoss == nil && (side.isClosed || !side.output.isEmpty))
    }

    /// Notices that the node has given it up; what was under way may still come to the engine, as far as any byte.
    func notice(_ random: inout SeededGenerator) {
        guard !isOver, peer.isClosed || peer.hasSeenReset else { return }
        deliverSome(&random)
        noteLoss()
        if !isHeld { end() }
    }

    /// Some of what was under way to the engine comes, and the rest never.
    private func deliverSome(_ random: inout SeededGenerator) {
        toEngine += peer.takeReceivedBytes()
        let part = toEngine.prefix(Int.random(in: 0...toEngine.count, using: &random))
        if isConnected, !isHeld, gapsAtLoss == nil { side.heard(Array(part), by: self, engine) }
        toEngine = []
    }

    private func noteLoss() { gapsAtLoss = gapsAtLoss ?? engine.ledger.gaps(of: node.number) }

    private func end() {
        isOver = true
        side.close()
    }

    /// Moves so many bytes at most each way.
    func move(atMost count: Int, _ random: inout SeededGenerator) {
        notice(&random)
        guard !isOver, !isHeld else { return }
        guard isConnected else { return connect() }
        toEngine += peer.takeReceivedBytes()
        let up = toEngine.prefix(count)
        toEngine.removeFirst(up.count)
        peer.makeRoom(up.count)
        side.heard(Array(up), by: self, engine)
        guard gapsAtLoss == nil else { return }
        let down = side.output.prefix(count)
        if !down.isEmpty { peer.send(Array(down)) }
        side.output.removeFirst(down.count)
        if side.output.isEmpty, side.isClosed {
            // The engine has ended it, behind what it said.
            noteLoss()
            peer.end()
        }
    }

    private func connect() {
        if engine.isDown {
            peer.connectResult = 111
            return end()
        }
        isConnected = true
        peer.connectResult = 0
        side.greet()
    }

    /// Breaks off.
    func cut(_ random: inout SeededGenerator) {
        guard !isOver else { return }
        cutFromNode(&random)
        end()
    }

    /// The node hears that it is over; the engine goes on for a while, as if there were somebody.
    func cutHalf(_ random: inout SeededGenerator) {
        guard !isOver, isConnected else { return }
        cutFromNode(&random)
        heldUntil = engine.now + 5_000
    }

    private func cutFromNode(_ random: inout SeededGenerator) {
        guard gapsAtLoss == nil else { return }
        deliverSome(&random)
        noteLoss()
        if isConnected { peer.reset() } else { peer.connectResult = 111 }
    }

    /// The engine ends the connection behind what it has said.
    func closeByEngine() { if isConnected { side.isClosed = true } }

    /// Holds whatever comes, from now on.
    func openUp() {
        heldUntil = 0
        peer.window = .max
    }
}
