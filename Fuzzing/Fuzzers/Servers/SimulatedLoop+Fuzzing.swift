import FuzzSupport
import Logging
import SimulatedKernel

@testable import Reactor
@testable import Ringcast

extension SimulatedLoop {
    /// Few and small buffers and lanes: each input has a loop of its own, which has to be made quickly.
    static func forFuzzing(
        seed: UInt64? = nil, makeHandler: (EventLoop) -> any ConnectionHandler
    ) -> SimulatedLoop {
        var options = SimulatedDriver.Options()
        options.smallBuffers = (count: 6, byteCount: 512)
        options.largeBuffers = (count: 2, byteCount: 4096)
        options.seed = seed
        var room = MailboxRoom()
        (room.lane, room.foreignLane) = (16, 16)
        let clock = VirtualClock()
        let group = GroupState(
            loopCount: 1, placement: .kernel, room: room, clock: { _ in clock.milliseconds }, meter: .off)
        return SimulatedLoop(index: 0, group: group, clock: clock, options, makeHandler: makeHandler)
    }

    /// Asks the loop to end, lets no more time pass than it waits for, and sees that everything came back.
    func stopAtOnce() {
        loop.stop()
        let end = clock.milliseconds + 100_000
        rest()
        while !loop.hasEnded, clock.milliseconds < end {
            clock.advance(min(max(driver.sleep ?? 1, 1), end - clock.milliseconds))
            rest()
        }
        require(loop.hasEnded, "the loop does not end")
        guard let sockets = loop.installedHandler as? SocketLoop else { fatalError("the loop serves no sockets") }
        let counters = sockets.counters.pointee
        let left = [
            ("connections", loop.connectionCount), ("connections counted", loop.statistics.connections.value),
            ("descriptors", driver.openCount), ("receive buffers", driver.loanCount),
            ("small loans", loop.state.loans.count(of: .small)), ("large loans", loop.state.loans.count(of: .large)),
            ("sockets", sockets.sessions.count), ("sockets counted", Int(counters.sockets)),
            ("requests counted", Int(counters.pendingRequests)), ("exchanges", sockets.exchanges.count),
            ("attempts", sockets.attempts.count), ("farewells", sockets.farewells.count),
            ("admissions", sockets.admissions.count),
        ]
        for (what, count) in left { require(count == 0, "\(count) \(what) are left") }
        loop.finish()
    }
}

extension SocketCore {
    /// Names stay unanswered, and nothing is logged.
    static func forFuzzing(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> SocketCore {
        var configuration = ServerConfiguration(port: 0)
        configuration.logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
        change(&configuration)
        return SocketCore(configuration: configuration, loopCount: 1, resolver: Resolver(threadLimit: 0))
    }
}
