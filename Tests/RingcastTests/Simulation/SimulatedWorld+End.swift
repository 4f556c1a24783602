import PubSub
import SimulatedKernel

@testable import Reactor
@testable import Ringcast

/// The end of a world: what is owed comes, the server stops, and everything is given back.
extension SimulatedWorld {
    func calm() {
        guard ledger.complaint == nil else { return }
        ledger.tell?("calm")
        endFaults()
        resumeAll()
        gatherReaders()
        // No timer helps out yet: whoever sleeps in front of a message was not woken. But what a lane has no room for
        // follows every millisecond, however late it was said.
        pass(milliseconds: 100, bite: 1)
        for _ in 0..<1_000 where loops.contains(where: { !$0.loop.state.posted.isEmpty }) {
            pass(milliseconds: 1, bite: 1)
        }
        checkDebts()
        pass(milliseconds: 3_000)
        checkDebts()
        ledger.histories?.check()
        ledger.checkPresence(isTold: plan.tellsOfPresence)
    }

    private func checkDebts() {
        guard ledger.complaint == nil else { return }
        var missing = 0
        for client in clients where client.isWell { missing += ledger.checkDebts(of: client.id) }
        missing += ledger.histories?.missingCount ?? 0
        // What a full lane did not take is counted once per subscriber, and told to nobody.
        if missing > dropsInLanes {
            ledger.complain(
                "\(missing) messages never came, \(dropsInLanes) were dropped in lanes: \(ledger.firstDebt ?? "")")
        }
    }

    /// Whoever holds what comes reads again, as a thread that is no loop has it.
    private func resumeAll() {
        ledger.readsAll = true
        for member in ledger.members.values { member.reference?.resume() }
        clock.noteAct()
    }

    private var dropsInLanes: Int {
        server.core.counters.reduce(0) { $0 + Int($1.load().dropsInLanes) } - ledger.refusedLetters
    }

    /// No socket has more queued than its limit, one message beyond it, and its control frames; none holds more that
    /// it has not read than the bound, and what the receive buffers brought until the kernel knew.
    func checkMemory() {
        let most = plan.options.backpressureLimit + 71_000 + (64 << 10)
        for loop in server.loops where !loop.loop.hasEnded {
            guard let sockets = loop.loop.installedHandler as? SocketLoop else { continue }
            let mostHeld = EventLoop.heldByteLimit + loop.driver.bufferByteCount * Self.waitsUntilCancel
            sockets.sessions.forEach { session in
                let queued = session.connection.queuedByteCount
                if queued > most { ledger.complain("\(queued) bytes are queued for one socket, \(most) are its bound") }
                let held = loop.loop.heldByteCount(session.connection.slot)
                if held > mostHeld {
                    ledger.complain("\(held) bytes are held for one socket, \(mostHeld) are its bound")
                }
            }
        }
    }

    /// Waits that bring input while a cancel stands behind other operations, or has missed.
    private static let waitsUntilCancel = 8

    /// The server stops: every socket closes once, and everything comes back.
    func finish() {
        guard ledger.complaint == nil else { return }
        // Half of the worlds stop in the middle of things, and with cancels that miss.
        if random.oneIn(2) {
            for _ in 0..<6 { act() }
            turnAll()
            for _ in 0..<4 { missCancel() }
        }
        clock.noteAct()
        server.server.stop(.goingAway, within: .milliseconds(100), deadline: .seconds(1))
        for _ in 0..<200 where !server.loops.allSatisfy(\.loop.hasEnded) { pass(milliseconds: 100) }
        for (id, member) in ledger.members where member.closes != 1 {
            ledger.complain("the close handler of \(id) ran \(member.closes) times")
        }
        users.stop()
        clock.noteAct()
        for _ in 0..<200 where !users.loops.allSatisfy(\.loop.hasEnded) { pass(milliseconds: 100) }
        for loop in loops where ledger.complaint == nil { checkEnd(of: loop) }
        checkOrder()
        if ledger.complaint == nil { ledger.histories?.checkEnd() }
    }

    private func checkEnd(of loop: SimulatedLoop) {
        guard loop.loop.hasEnded else { return ledger.complain("loop \(loop.loop.index) does not end") }
        if let sockets = loop.loop.installedHandler as? SocketLoop {
            let counters = unsafe sockets.counters.pointee
            let left = [
                "connections": loop.loop.connectionCount, "sockets": sockets.sessions.count,
                "exchanges": sockets.exchanges.count, "attempts": sockets.attempts.count,
                "farewells": sockets.farewells.count, "admissions": sockets.admissions.count,
                "sockets counted": Int(counters.sockets), "requests counted": Int(counters.pendingRequests),
            ]
            for (what, count) in left where count > 0 { ledger.complain("\(count) \(what) are left") }
        }
        loop.ask { $0.finish() }
        if loop.driver.loanCount > 0 { ledger.complain("\(loop.driver.loanCount) receive buffers are lost") }
        if loop.driver.openCount > 0 { ledger.complain("\(loop.driver.openCount) descriptors are left open") }
    }

    /// Topics of total order: of any two subscribers, what both got came in one order.
    private func checkOrder() {
        for topic in Self.topics where topic.hasPrefix("o") {
            let transcripts = clients.map { $0.transcript.publications.filter { $0.topic == topic } }
                .filter { !$0.isEmpty }
            for (index, one) in transcripts.enumerated() {
                for other in transcripts[(index + 1)...] {
                    let common = Set(one).intersection(other)
                    if one.filter(common.contains) != other.filter(common.contains) {
                        ledger.complain("two subscribers of \(topic) got its messages in different orders")
                    }
                }
            }
        }
    }
}
