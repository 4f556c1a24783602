package import Reactor

/// Several loops over simulated connections and one virtual clock, that know each other as those of a server do; turned
/// by the test on its own thread, one after the other.
package final class SimulatedGroup {
    package let clock: VirtualClock
    package let loops: [SimulatedLoop]
    /// What a server knows its loops by.
    package let group: LoopGroup
    private var isFinished = false

    /// - Parameters:
    ///   - drivers: one for each loop.
    ///   - room: how much waits for a loop at most.
    ///   - clock: whose time the loops live in.
    ///   - listener: where the loops say that they listen.
    package init(
        drivers: [SimulatedDriver.Options], room: MailboxRoom = MailboxRoom(), clock: VirtualClock = VirtualClock(),
        listener: ListenerAddress = ListenerAddress(hostname: "127.0.0.1", port: 80),
        tls: TLSServer? = nil, discard: @escaping @Sendable (ServiceMessage) -> Void = { _ in },
        log: @escaping LogSink = { _, _ in }, makeHandler: (EventLoop) -> any ConnectionHandler
    ) {
        self.clock = clock
        let state = GroupState(
            loopCount: drivers.count, placement: .kernel, room: room, discard: discard,
            clock: { _ in clock.milliseconds }, meter: .off)
        loops = drivers.enumerated().map { index, options in
            SimulatedLoop(
                index: index, group: state, clock: clock, options, tls: tls, log: log, makeHandler: makeHandler)
        }
        state.setAddresses(loops.map(\.driver.address))
        group = LoopGroup(
            turning: loops.map(\.loop.executor), of: state, driver: .simulated, addresses: [listener], log: log)
    }

    /// Whether every loop has ended.
    package var hasEnded: Bool { isFinished || loops.allSatisfy(\.loop.hasEnded) }

    /// How long until a loop has to do something by itself, after `rest`; `.max`: for ever.
    package var timeToNextWake: UInt64 {
        loops.map { $0.loop.hasEnded ? .max : max($0.driver.sleep ?? 1, 1) }.min() ?? .max
    }

    /// Turns the loops until all of them would sleep: what is to be done then needs an event or time. Loops that have
    /// ended together are finished.
    ///
    /// Loops are turned whether or not somebody has woken them, and one may sleep while another posts to it: only a
    /// round in which nothing has come to any loop proves that there is nothing. The first is always made, since timers
    /// fire behind the wait.
    package func rest() {
        guard !isFinished else { return }
        turn()
        for _ in 0..<100_000 {
            turn()
            guard loops.allSatisfy({ $0.loop.hasEnded || $0.driver.sleep != nil }) else { continue }
            if hasEnded { finish() }
            return
        }
        preconditionFailure("the loops do not come to rest")
    }

    private func turn() {
        for loop in loops where !loop.loop.hasEnded { loop.turn() }
    }

    /// Lets time pass; the loops wake whenever they asked for that.
    package func advance(milliseconds: UInt64) {
        rest()
        let end = clock.milliseconds + milliseconds
        while clock.milliseconds < end {
            clock.advance(min(timeToNextWake, end - clock.milliseconds))
            rest()
        }
    }

    /// The last act of all loops. Without effect the second time.
    package func finish() {
        guard !isFinished else { return }
        isFinished = true
        for loop in loops { loop.ask { $0.finish() } }
    }
}
