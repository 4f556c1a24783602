import ReactorTesting
import Ringcast
import SimulatedKernel
import Synchronization

/// What goes wrong by a step's decision.
extension ClusterWorld {
    func breakDriver() {
        guard let loop = loops.randomElement(using: &random) else { return }
        faults += 1
        switch Int.random(in: 0..<4, using: &random) {
        case 0: loop.driver.interruptedWaits += 1
        case 1: loop.driver.nextWaitDuration = UInt64.random(in: 1...400, using: &random)
        case 2: loop.driver.missedCancels += 1
        // A loop that stands still while the others go on.
        default:
            let others = loops.filter { $0 !== loop }
            for _ in 0..<20 { for other in others { turn(other) } }
        }
    }

    func breakEngine() {
        guard plan.hasFaults else { return }
        let now = clock.milliseconds
        let wire = engine.wires.randomElement(using: &random)
        faults += 1
        switch Int.random(in: 0..<9, using: &random) {
        case 0: wire?.cut(&random)
        case 1: wire?.cutHalf(&random)
        case 2: wire?.closeByEngine()
        case 3, 4: wire?.heldUntil = now + UInt64.random(in: 1...3_000, using: &random)
        case 5:
            let place = Int.random(in: 0..<ClusterPlan.nodeCount, using: &random)
            engine.silentUntil[place] = now + UInt64.random(in: 3_000...15_000, using: &random)
        case 6: engine.restart(downFor: random.oneIn(2) ? 0 : UInt64.random(in: 1...8_000, using: &random), &random)
        case 7: engine.refusals += plan.isRedis ? Int.random(in: 1...5, using: &random) : 0
        // A machine that stands still, or a clock that jumps.
        default: clock.advance(UInt64.random(in: 1...20_000, using: &random))
        }
    }

    /// A network that loses everything: the node finds out.
    func fallSilent() {
        guard plan.hasFaults, random.oneIn(2), let node = present.randomElement(using: &random) else { return }
        faults += 1
        engine.silentUntil[node.place] = .max
        for _ in 0..<10 {
            act()
            pass(milliseconds: 1_000)
        }
        if node.phase == .running, node.statistics.isConnected {
            ledger.complain("node \(node.number) has heard nothing for ten seconds, and takes its engine to be there")
        }
        engine.silentUntil[node.place] = 0
    }

    /// A node dies, or stops in order, and another one takes its place.
    func replaceNode() {
        guard random.oneIn(2), let node = present.randomElement(using: &random) else { return }
        faults += 1
        if plan.hasFaults, random.oneIn(2) { kill(node) } else { node.stop() }
        startNode(at: node.place)
    }

    private func kill(_ node: SimulatedNode) {
        ledger.tell?("node \(node.number) dies")
        for client in clients where client.node === node { client.breakOff(&random) }
        for wire in engine.wires where wire.node === node { wire.cut(&random) }
        node.phase = .dead
    }
}

/// Questions that nodes have asked, and that are not answered.
final class OpenQuestions: Sendable {
    private let counts = Mutex<[Int: Int]>([:])

    func open(by node: Int) -> Int { counts.withLock { $0[node] ?? 0 } }
    func begin(by node: Int) { counts.withLock { $0[node, default: 0] += 1 } }
    func end(by node: Int) { counts.withLock { $0[node, default: 0] -= 1 } }
}
