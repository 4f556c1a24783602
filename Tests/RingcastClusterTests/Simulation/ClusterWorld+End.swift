import PubSub
import SimulatedKernel

@testable import Reactor
@testable import Ringcast
@testable import RingcastCluster

/// The end of a world: the nodes come together again, everybody hears everything, and the nodes stop.
extension ClusterWorld {
    /// A node that was away is back: five seconds until it notices, three until it tries again, and some.
    private static let recovery: UInt64 = 15_000

    func calm() {
        ledger.tell?("calm")
        endFaults()
        pass(milliseconds: Self.recovery)
        checkTogether()
        // What is published now reaches everybody.
        for _ in 0..<2 {
            for node in present { for topic in Self.topics { publish(to: topic, on: node) } }
            pass(milliseconds: 100)
            ledger.checkForwarded()
        }
        // Who has died is known to have, and who has nobody left is not sent anything.
        pass(milliseconds: 21_000)
        checkInterest()
        checkNodes()
        checkDrops()
        for node in present where ledger.complaint == nil { checkCounts(of: node) }
        ledger.checkOrder()
    }

    private func endFaults() {
        for loop in loops {
            loop.driver.options.completionLimit = .max
            loop.driver.missedCancels = 0
        }
        engine.downUntil = 0
        engine.refusals = 0
        for place in engine.silentUntil.indices { engine.silentUntil[place] = 0 }
        for wire in engine.wires { wire.openUp() }
    }

    private func checkTogether() {
        for node in nodes where node.phase == .stopping { ledger.complain("node \(node.number) does not stop") }
        for node in present where !node.statistics.isConnected {
            ledger.complain("node \(node.number) does not connect again")
        }
        for node in present where !node.backplane.outbox.isEmpty {
            ledger.complain("node \(node.number) is connected, and \(node.backplane.outbox.byteCount) bytes wait")
        }
        ledger.checkForwarded()
    }

    /// The engine sends each node what its subscribers want, and nothing else.
    private func checkInterest() {
        for node in present where ledger.complaint == nil {
            let topics = ledger.topics(of: node.number).filter { !$0.hasPrefix("l") }.map { Topic($0) }
            let wanted = Set((topics + node.node.noticeTopics).map(plan.channel))
            let asked = engine.channels(of: node)
            if asked != wanted {
                ledger.complain(
                    "node \(node.number) has subscribers of \(wanted.sorted()), and is sent \(asked.sorted())")
            }
        }
    }

    /// Each node knows the others, and nobody who is gone.
    private func checkNodes() {
        let all = present.map { SimulatedNode.id($0.number, plan) }.sorted()
        for node in present {
            let known = node.server.clusterNodes.sorted()
            if known != all { ledger.complain("node \(node.number) knows \(known), there are \(all)") }
        }
        for node in nodes where node.phase != .dead && questions.open(by: node.number) > 0 {
            ledger.complain("a question of node \(node.number) was never answered")
        }
    }

    /// What never came to the engine was told.
    private func checkDrops() {
        for node in present { checkDrops(of: node) }
        guard !plan.hasFaults else { return }
        for (number, record) in ledger.nodes.enumerated() where record.disconnects + record.gaps + record.drops > 0 {
            ledger.complain("nothing has failed, and node \(number) was told: \(record)")
        }
    }

    private func checkDrops(of node: SimulatedNode) {
        let (record, statistics) = (ledger.nodes[node.number], node.statistics)
        if record.unprocessed.count > statistics.dropped {
            ledger.complain(
                "\(record.unprocessed.count) messages of node \(node.number) never came to the engine, such as "
                    + "\(record.unprocessed.min() ?? 0), and \(statistics.dropped) were counted as dropped")
        }
        if record.drops != statistics.dropped || record.gaps != statistics.gaps {
            ledger.complain(
                "node \(node.number) was told of \(record.drops) drops and \(record.gaps) gaps, and counts "
                    + "\(statistics.dropped) and \(statistics.gaps)")
        }
    }

    /// Any node can say how many subscribe on all of them.
    private func checkCounts(of node: SimulatedNode) {
        let (topic, server, questions, ledger) = (anyTopic(), node.server, questions, ledger)
        var expected = ledger.subscribers(of: topic) { nodes[$0].phase == .running }
        if topic.hasPrefix("l") { expected = ledger.subscribers(of: topic) { $0 == node.number } }
        let number = node.number
        questions.begin(by: number)
        Task(executorPreference: executor) { [expected] in
            let count = try? await server.clusterSubscriberCount(of: Topic(topic))
            questions.end(by: number)
            if count != expected {
                ledger.complain("\(topic) has \(expected) subscribers, and is said to have \(count ?? -1)")
            }
        }
        pass(milliseconds: 50)
        if questions.open(by: number) > 0 { ledger.complain("node \(node.number) got no answer to its question") }
    }

    /// The nodes stop: in half of the worlds in the middle of things, or with an engine that is away.
    func finish() {
        let isAway = plan.hasFaults && random.oneIn(2)
        if random.oneIn(2) { for _ in 0..<6 { act() } }
        if isAway, random.oneIn(2) { engine.restart(downFor: 1_000_000, &random) }
        if isAway { for place in engine.silentUntil.indices { engine.silentUntil[place] = .max } }
        clock.noteAct()
        let running = present
        for node in running { node.stop() }
        pass(milliseconds: 8_000)
        for node in running {
            guard node.phase == .ended else { return ledger.complain("node \(node.number) does not stop") }
            let lost = ledger.nodes[node.number].unprocessed.count
            if !plan.hasFaults, lost > 0 { ledger.complain("\(lost) messages were not handed over by a stop") }
        }
        // Who was switched off gives back what it has, so that a search for leaks finds none.
        for node in nodes where node.phase == .dead { node.server.stop(.goingAway, within: .zero, deadline: .zero) }
        for _ in 0..<100 where nodes.contains(where: { $0.phase == .dead }) { endDead() }
        if let node = nodes.first(where: { $0.phase == .dead }) { ledger.complain("node \(node.number) never ends") }
        for (id, member) in ledger.members where member.closes != 1 {
            ledger.complain("the close handler of \(id) ran \(member.closes) times")
        }
    }

    private func endDead() {
        clock.advance(100)
        for node in nodes where node.phase == .dead {
            for _ in 0..<20 {
                for loop in node.loops where loop.wouldWake {
                    loop.wake()
                    loop.sleep()
                }
                node.goOnStopping(by: executor)
                while executor.run() { clock.noteAct() }
            }
        }
    }

    /// A stop has ended: nothing is left, and what was not handed over was told.
    func checkEnd(of node: SimulatedNode) {
        for loop in node.loops {
            let left = [
                "connections": loop.loop.connectionCount, "receive buffers": loop.driver.loanCount,
                "descriptors": loop.driver.openCount,
            ]
            for (what, count) in left.sorted(by: { $0.key < $1.key }) where count > 0 {
                ledger.complain("\(count) \(what) of node \(node.number) are left")
            }
        }
        checkDrops(of: node)
    }
}
