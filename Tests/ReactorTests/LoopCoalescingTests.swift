import ReactorTesting
import Testing

@testable import Reactor

/// A busy loop waits for more, never beyond the delay, in virtual time.
@Suite(.endingAll) struct LoopCoalescingTests {
    private let handler = RecordingHandler()

    private func loop(microseconds: UInt32? = 5_000, gathers: Bool = true) -> SimulatedLoop {
        var options = SimulatedDriver.Options()
        options.gathersCompletions = gathers
        let loop = SimulatedLoop(options) { _ in handler }
        loop.loop.coalesce(microseconds: microseconds)
        return loop
    }

    /// Lets `step` happen once in each of so many milliseconds, in waits that gather and between them.
    private func run(_ loop: SimulatedLoop, milliseconds: UInt64, _ step: @escaping () -> Void) {
        let end = loop.clock.milliseconds + milliseconds
        loop.driver.whileGathering = step
        while loop.clock.milliseconds < end {
            loop.clock.advance(1)
            step()
            loop.turn()
        }
    }

    /// A loop that gathers for 50 ms at most, with six peers that say something every millisecond, and go on doing so.
    private func busyLoop() -> SimulatedLoop {
        let loop = loop(microseconds: 50_000)
        let peers = loop.connect(6)
        loop.rest()
        run(loop, milliseconds: 100) { peers.forEach { $0.send([0x61]) } }
        #expect(loop.loop.state.coalescer?.isBusy == true)
        return loop
    }

    /// Each peer says what time it is, every millisecond; returns the longest time until that was received.
    private func longestDelay(_ loop: SimulatedLoop, peers: Int, milliseconds: UInt64, every: UInt64 = 1) -> UInt64 {
        let peers = loop.connect(peers)
        loop.rest()
        let start = loop.clock.milliseconds
        var longest: UInt64 = 0
        handler.onReceived = { bytes, _ in
            let now = UInt8(truncatingIfNeeded: loop.clock.milliseconds - start)
            for byte in bytes { longest = max(longest, UInt64(now &- byte)) }
            return bytes.count
        }
        run(loop, milliseconds: milliseconds) {
            let time = loop.clock.milliseconds - start
            guard time % every == 0 else { return }
            for peer in peers { peer.send([UInt8(truncatingIfNeeded: time)]) }
        }
        loop.driver.whileGathering = {}
        loop.rest()
        return longest
    }

    @Test func `a busy loop gathers, and nothing waits longer than the delay`() {
        let loop = loop()
        let longest = longestDelay(loop, peers: 4, milliseconds: 1_000)
        #expect(longest > 1 && longest <= 5)
        #expect(loop.driver.counts.gatheringWaits > 100)
        #expect(loop.driver.longestGathering <= 5_000)
        #expect(handler.events.count { if case .received = $0 { true } else { false } } == 4_000, "nothing is lost")
    }

    @Test func `enough completions end the wait before the delay does`() {
        let loop = loop(microseconds: 50_000)
        let longest = longestDelay(loop, peers: 8, milliseconds: 1_000)
        #expect(loop.driver.counts.gatheringWaits > 100)
        #expect(longest <= 4, "32 are there after 4 ms")
    }

    @Test func `it is off by default`() {
        let loop = SimulatedLoop { _ in handler }
        #expect(LoopGroupConfiguration().coalescing == .off)
        #expect(longestDelay(loop, peers: 20, milliseconds: 500) == 0)
        #expect(loop.driver.counts.gatheringWaits == 0)
    }

    @Test func `it stays off where the driver cannot wait so`() {
        let loop = loop(gathers: false)
        #expect(longestDelay(loop, peers: 20, milliseconds: 500) == 0)
    }

    @Test func `a loop with little to do does not wait`() {
        let loop = loop()
        #expect(longestDelay(loop, peers: 1, milliseconds: 2_000, every: 2) == 0)
        #expect(loop.driver.counts.gatheringWaits == 0)
    }

    @Test func `after a busy time the first message of a quiet one is not held up`() {
        let loop = loop()
        _ = longestDelay(loop, peers: 20, milliseconds: 500)
        loop.advance(milliseconds: 10_000)
        let before = loop.driver.counts.gatheringWaits
        #expect(longestDelay(loop, peers: 1, milliseconds: 500, every: 7) == 0)
        #expect(loop.driver.counts.gatheringWaits == before)
    }

    @Test func `peers that wait for their answers are soon served at once`() {
        let (alone, usual) = (answers(microseconds: nil), answers(microseconds: 10_000))
        #expect(alone > 9_000)
        #expect(usual < alone, "it was tried")
        #expect(usual > alone * 95 / 100)
    }

    /// How many a peer gets in 20 seconds that asks again in the millisecond after each answer.
    private func answers(microseconds: UInt32?) -> Int {
        let handler = RecordingHandler()
        let loop = SimulatedLoop { _ in handler }
        loop.loop.coalesce(microseconds: microseconds)
        let peer = loop.connect()
        loop.rest()
        handler.onReceived = { bytes, connection in
            connection.send(bytes)
            return bytes.count
        }
        var (asked, answered) = (0, 0)
        run(loop, milliseconds: 20_000) {
            answered += peer.takeReceivedBytes().count
            guard asked == answered else { return }
            asked += 1
            peer.send([0x61])
        }
        return answered
    }

    @Test func `a wait for more ends with the loop's next deadline`() {
        let loop = busyLoop()
        let start = loop.clock.milliseconds
        loop.loop.cutConnections(at: start + 3)
        loop.turn()
        #expect(loop.clock.milliseconds == start + 3)
        #expect(handler.closedCount == 6)
    }

    @Test func `a ready job is not held up`() {
        let loop = busyLoop()
        let start = loop.clock.milliseconds
        let ran = VirtualClock(milliseconds: 0)
        loop.loop.executor.execute { ran.advance(1) }
        loop.turn()
        #expect(loop.clock.milliseconds == start && ran.milliseconds == 1)
    }

    @Test func `a message of another loop is not held up`() {
        let loop = busyLoop()
        let start = loop.clock.milliseconds
        var arrived: UInt64?
        handler.onMessage = { _ in arrived = loop.clock.milliseconds }
        _ = loop.loop.post(numbered(1), to: 0)
        loop.turn()
        #expect(arrived == start)
    }

    @Test(arguments: [Duration.zero, .milliseconds(-1), .milliseconds(101), .nanoseconds(999), .seconds(1)])
    func `a delay out of range is refused`(delay: Duration) {
        #expect(throws: ReactorError.self) {
            try LoopGroup(
                configuration: LoopGroupConfiguration(loops: .count(1), coalescing: .adaptive(maxDelay: delay)),
                makeHandler: { _ in Echo() })
        }
    }
}
