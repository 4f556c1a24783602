import Glibc
import IOUring
import ReactorTesting
import SystemCalls
import Testing

@testable import Reactor

/// Several loops that end, and what they have sent each other; and wake-ups that fail.
@Suite(.endingAll) struct LoopEndTests {
    private let handlers = [RecordingHandler(), RecordingHandler()]
    private let clock = VirtualClock()
    private let group: GroupState

    init() {
        let clock = clock
        group = GroupState(loopCount: 2, placement: .kernel, clock: { _ in clock.milliseconds })
    }

    private func loops(_ options: SimulatedDriver.Options = .init()) -> [SimulatedLoop] {
        (0..<2).map { index in
            SimulatedLoop(index: index, group: group, clock: clock, options) { _ in handlers[index] }
        }
    }

    /// Turns both in turn until they have ended.
    private func run(_ loops: [SimulatedLoop]) -> Bool {
        var running = loops
        for _ in 0..<1_000 where !running.isEmpty {
            for loop in running { loop.turn() }
            for loop in running where loop.loop.hasEnded { loop.loop.finish() }
            running.removeAll { $0.loop.hasEnded }
        }
        return running.isEmpty
    }

    @Test func `a loop does not end before all that it has posted has arrived`() {
        let loops = loops()
        var arrived: [UInt64] = []
        handlers[1].onMessage = { arrived.append($0.number) }
        for number: UInt64 in 0..<10_000 { _ = loops[0].loop.post(numbered(number), to: 1) }
        for loop in loops { loop.loop.stop() }
        #expect(run(loops), "the word that accepting has ended waits behind the messages")
        #expect(arrived == Array(0..<10_000))
    }

    @Test func `what a handler posts at the stop arrives, and the loop's last word behind it`() {
        let loops = loops()
        var arrived: [UInt64] = []
        handlers[1].onMessage = { arrived.append($0.number) }
        handlers[0].onStopping = {
            // More than a lane holds: the word that nothing is open any more waits behind it.
            for number: UInt64 in 0..<10_000 { _ = loops[0].loop.post(numbered(number), to: 1) }
        }
        for loop in loops { loop.loop.stop() }
        #expect(run(loops))
        #expect(arrived == Array(0..<10_000))
    }

    // MARK: wake-ups

    @Test(arguments: [true, false])
    func `a loop whose ring cannot be reached is woken by its eventfd`(refuses: Bool) {
        var options = SimulatedDriver.Options()
        options.directAddress = 7
        let loops = loops(options)
        loops[0].driver.refusedNotifications = refuses ? 1 : 0
        group.setAddresses(loops.map(\.driver.address))
        let falls = group.mailboxes[1].prepareToSleep()
        #expect(falls)
        _ = loops[0].loop.post(numbered(1), to: 1)
        loops[0].turn(2)
        #expect(loops[0].driver.notified == [7])
        #expect(loops[1].driver.address.wakeUp.isRung == refuses)
    }

    @Test(.enabled(if: KernelFeature.ring.isAllowed)) func `a ring that cannot be reached is told of`() throws {
        let capabilities = try UringCapabilities.probe()
        #expect(capabilities.notifiesRings == KernelFeature.messageRing.isAllowed, "every kernel that we serve can")
        let driver = try UringDriver(capabilities: capabilities)
        let token = Token(.notify, slot: 3)
        driver.notify(DriverAddress(wakeUp: driver.address.wakeUp, direct: -1), token: token)
        driver.wait(milliseconds: 0)
        var answers: [Token: Int32] = [:]
        while let completion = driver.nextCompletion() { answers[completion.token] = completion.result }
        #expect(answers[token] == -EBADF)
    }
}
