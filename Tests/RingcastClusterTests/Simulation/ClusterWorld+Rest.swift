import SimulatedKernel

@testable import Reactor
@testable import Ringcast
@testable import RingcastCluster

/// Going on until nothing is left to do, and letting time pass.
extension ClusterWorld {
    /// Turns all loops until nobody has anything to do; nothing moves between nodes and engine. Whatever the engine
    /// does, subscribers of a node have got then what was published there.
    func settle() {
        var rounds = 0
        var isBusy = true
        while isBusy, rounds < 20_000 {
            rounds += 1
            isBusy = false
            for loop in loops where loop.wouldWake {
                isBusy = true
                turn(loop)
            }
            while executor.run() {
                clock.noteAct()
                isBusy = true
            }
            for client in clients where client.read() { isBusy = true }
        }
        if isBusy { ledger.complain("the loops do not come to rest: \(loops.filter(\.wouldWake).map(\.whyAwake))") }
        for node in nodes where node.phase == .ended && hasEnded.insert(node.number).inserted { checkEnd(of: node) }
        ledger.settle { nodes[$0].runs }
        checkBounds()
    }

    /// Time passes, and all that is under way arrives.
    func pass(milliseconds: UInt64) {
        let end = clock.milliseconds + milliseconds
        arrive()
        while clock.milliseconds < end, ledger.complaint == nil {
            let now = clock.milliseconds
            let next = loops.lazy.compactMap(\.wakeTime).min() ?? .max
            clock.advance(min(end - now, max(10, next < now ? 0 : next - now), 500))
            arrive()
        }
    }

    private func arrive() {
        settle()
        var rounds = 0
        while engine.wires.contains(where: \.isBusy), rounds < 1_000 {
            rounds += 1
            for wire in engine.wires { wire.move(atMost: .max, &random) }
            settle()
        }
        if rounds == 1_000 { ledger.complain("the nodes and their engine do not come to rest") }
        engine.sweep()
    }

    /// Nothing grows beyond its bound.
    private func checkBounds() {
        for node in nodes where node.runs {
            let (waiting, most) = (node.backplane.outbox.byteCount, plan.waitingBytes + Self.longestCommand)
            if waiting > most { ledger.complain("\(waiting) bytes wait for the engine, \(most) are the bound") }
            let (topics, allTopics) = (node.node.interest.count, Self.topics.count)
            if topics > allTopics { ledger.complain("node \(node.number) asks for \(topics) topics of \(allTopics)") }
            let connections = node.engineGroup.loops[0].loop.connectionCount
            if connections > Self.mostConnections {
                ledger.complain("node \(node.number) has \(connections) connections to its engine")
            }
        }
    }

    /// A publish of the longest message, as it is written for the engine.
    private static let longestCommand = 2_000
    /// Two, and as many that are being closed.
    private static let mostConnections = 4
}
