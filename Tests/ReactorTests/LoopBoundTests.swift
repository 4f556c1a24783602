import Glibc
import ReactorTesting
import Testing

@testable import Reactor

/// What one turn, one connection or one error may cost.
@Suite(.endingAll) struct LoopBoundTests {
    private let handler = RecordingHandler()

    private func loop(
        _ change: (inout SimulatedDriver.Options) -> Void = { _ in }, log: @escaping LogSink = { _, _ in }
    ) -> SimulatedLoop {
        var options = SimulatedDriver.Options()
        change(&options)
        return SimulatedLoop(options, log: log) { _ in handler }
    }

    // MARK: accepting

    @Test(arguments: [EINVAL, EPERM, EPROTO])
    func `an error of a listener that lasts is said once, and tried no faster than every 200 ms`(error: Int32) {
        let lines = Lines()
        let loop = loop(log: lines.append)
        loop.driver.acceptErrors = Array(repeating: error, count: 40)
        let peer = loop.connect()
        loop.advance(milliseconds: 7_000)
        #expect(peer.descriptor == nil && loop.driver.counts.accepts <= 2 + 7_000 / 200)
        #expect(lines.all.count == 1)
        loop.advance(milliseconds: 2_000)
        #expect(peer.descriptor != nil)
    }

    @Test func `a listener that fails when it is to close keeps the loop from nothing`() {
        let loop = loop()
        loop.rest()
        loop.loop.stopAccepting()
        loop.loop.accepted(
            DriverCompletion(token: Token(.accept, slot: 0), result: -EINVAL, hasMore: true))
        #expect(loop.loop.acceptRetryTime == nil, "it would be tried in every turn")
    }

    // MARK: timers

    @Test func `deadlines that come together are spread over turns`() {
        handler.onOpened = { $0.setDeadline($0.loop.now + 1_000) }
        let loop = loop()
        _ = loop.connect(5_000)
        loop.rest()
        loop.clock.advance(1_100)
        var counts: [Int] = []
        var fired = 0
        while fired < 5_000, counts.count < 100 {
            loop.turn()
            let count = handler.events.count { $0 == .deadlineReached } - fired
            counts.append(count)
            fired += count
            if fired < 5_000 { #expect(loop.driver.sleep == nil, "the rest would wait for another event") }
        }
        #expect(counts == [1_024, 1_024, 1_024, 1_024, 904])
    }

    @Test func `slow readers are looked at over several turns, and each once a second`() {
        handler.onOpened = { connection in
            connection.setWriteStallTimeout(5_000)
            connection.send([1])
        }
        let loop = loop()
        let peers = loop.connect(3_000)
        for peer in peers { peer.window = 0 }
        loop.rest()
        loop.advance(milliseconds: 4_000)
        for peer in peers.prefix(1_500) { peer.makeRoom(1) }
        loop.advance(milliseconds: 2_500)
        #expect(peers.map(\.isClosed) == (0..<3_000).map { $0 >= 1_500 })
        #expect(loop.loop.state.watchedForStall.isEmpty && loop.loop.state.uncheckedForStall == 0)
    }

    // MARK: sending and receiving

    @Test func `without batched sends nobody looks blocked who is not`() {
        var isBlocked: [Bool] = []
        handler.onReceived = { bytes, connection in
            isBlocked.append(connection.isBlocked)
            connection.send([bytes[0]])
            connection.continueNextTurn()
            return 1
        }
        let loop = loop { $0.sendsInBatches = false }
        let peer = loop.connect()
        peer.send([1, 2, 3, 4])
        loop.rest()
        #expect(isBlocked == [false, false, false, false] && peer.receivedBytes == [1, 2, 3, 4])
    }

    @Test(arguments: [0, 1, 3])
    func `a paused connection holds 64 KiB and what the receive buffers held, also if a cancel misses`(misses: Int) {
        handler.onOpened = { $0.pauseReceiving() }
        let loop = loop { $0.smallBuffers = (64, 1_024) }
        let peer = loop.connect()
        loop.rest()
        loop.driver.missedCancels = misses
        for _ in 0..<100 {
            peer.send([UInt8](repeating: 1, count: 60_000))
            loop.rest()
        }
        handler.withEach { connection in
            let held = loop.loop.heldByteCount(connection.slot)
            #expect(held > EventLoop.heldByteLimit)
            #expect(held <= EventLoop.heldByteLimit + (misses + 1) * 64 * 1_024)
        }
    }

    // MARK: real sockets

    @Test(.blocking) func `who has sent over a real socket while the loop slept is read before it is judged`() throws {
        handler.onOpened = { $0.setDeadline($0.loop.now + 1_000) }
        let loop = try RealLoop(handler)
        let clients = (0..<50).map { _ in TCPClient(port: loop.port) }
        loop.turn { handler.open.count == 50 }
        for client in clients { client.send([1]) }
        handler.onReceived = { bytes, connection in
            connection.setDeadline(connection.loop.now + 1_000)
            return bytes.count
        }
        loop.clock.advance(5_000)
        loop.turn()
        #expect(!handler.events.contains(.deadlineReached))
        #expect(handler.events.count { $0 == .received([1]) } == 50)
        loop.stop()
    }
}
