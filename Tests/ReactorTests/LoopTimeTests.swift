import ReactorTesting
import Testing

@testable import Reactor

@Suite(.endingAll) struct LoopTimeTests {
    private let handler = RecordingHandler()

    private func loop(batches: Bool = true) -> SimulatedLoop {
        var options = SimulatedDriver.Options()
        options.sendsInBatches = batches
        return SimulatedLoop(options) { _ in handler }
    }

    // MARK: deadlines

    @Test(arguments: [1, 63, 64, 65, 1_000, 120_000, 500_000] as [UInt64])
    func `a deadline comes never early and less than 128 ms late`(delay: UInt64) {
        let loop = loop()
        _ = loop.connect()
        loop.rest()
        let start = loop.clock.milliseconds
        var time: UInt64?
        handler.onDeadline = { _ in time = loop.clock.milliseconds }
        handler.withEach { $0.setDeadline(start + delay) }
        loop.advance(milliseconds: delay - 1)
        #expect(time == nil)
        loop.advance(milliseconds: 128)
        #expect(time.map { $0 >= start + delay && $0 < start + delay + 128 } == true)
        loop.advance(milliseconds: 1_000_000)
        #expect(handler.events == [.opened, .deadlineReached], "once")
    }

    @Test func `a later deadline replaces the earlier one, and nil takes it back`() {
        let loop = loop()
        _ = loop.connect()
        loop.rest()
        let start = loop.clock.milliseconds
        handler.withEach {
            $0.setDeadline(start + 100)
            $0.setDeadline(start + 10_000)
        }
        loop.advance(milliseconds: 9_999)
        #expect(handler.events == [.opened])
        handler.withEach { $0.setDeadline(nil) }
        loop.advance(milliseconds: 100_000)
        #expect(handler.events == [.opened])
        #expect(loop.driver.sleep == .max, "nothing to wake for")
    }

    @Test func `a deadline may set the next one`() {
        handler.onOpened = { $0.setDeadline($0.loop.now + 1_000) }
        handler.onDeadline = { $0.setDeadline($0.loop.now + 1_000) }
        let loop = loop()
        _ = loop.connect()
        loop.advance(milliseconds: 10_900)
        #expect(handler.events.filter { $0 == .deadlineReached }.count == 10)
    }

    @Test func `the deadline of a connection that ended reaches no other one in its slot`() {
        handler.onOpened = { $0.setDeadline($0.loop.now + 1_000) }
        let loop = loop()
        _ = loop.connect()
        loop.rest()
        handler.withEach { $0.abort() }
        loop.rest()
        handler.onOpened = { _ in }
        _ = loop.connect()
        loop.advance(milliseconds: 5_000)
        #expect(!handler.events.contains(.deadlineReached))
    }

    // MARK: write stalls

    @Test(arguments: [true, false])
    func `a peer that takes nothing for a minute is cut`(batches: Bool) {
        handler.onOpened = { $0.send([0x01, 0x02]) }
        let loop = loop(batches: batches)
        let peer = loop.connect()
        peer.window = 1
        loop.advance(milliseconds: 59_000)
        #expect(!peer.isClosed)
        loop.advance(milliseconds: 3_000)
        #expect(peer.isClosed)
        #expect(handler.events == [.opened, .closed(.stalled)])
    }

    @Test(arguments: [true, false])
    func `a peer that takes nothing from the start is cut, too`(batches: Bool) {
        handler.onOpened = { $0.send([0x01, 0x02]) }
        let loop = loop(batches: batches)
        let peer = loop.connect()
        peer.window = 0
        loop.advance(milliseconds: 62_000)
        #expect(handler.events == [.opened, .closed(.stalled)])
        #expect(peer.isClosed)
    }

    @Test(arguments: [true, false])
    func `a peer that takes a byte now and then is not cut`(batches: Bool) {
        handler.onOpened = { $0.send((0..<10).map { $0 }) }
        let loop = loop(batches: batches)
        let peer = loop.connect()
        peer.window = 0
        for _ in 0..<10 {
            loop.advance(milliseconds: 50_000)
            peer.makeRoom(1)
        }
        loop.rest()
        #expect(peer.receivedBytes == Array(0..<10) && !peer.isClosed)
        loop.advance(milliseconds: 500_000)
        #expect(!peer.isClosed, "nothing waits any more")
    }

    @Test func `a peer that takes what the socket holds is not cut, though nothing more fits in`() {
        handler.onOpened = { $0.send([0x01]) }
        let loop = loop()
        let peer = loop.connect()
        peer.window = 0
        for round in 0..<10 {
            peer.untakenByteCount = 1_000_000 - round
            loop.advance(milliseconds: 50_000)
        }
        #expect(!peer.isClosed)
        loop.advance(milliseconds: 70_000)
        #expect(handler.events == [.opened, .closed(.stalled)])
    }

    @Test func `the write-stall time can be shorter, or off`() {
        handler.onOpened = { connection in
            connection.setWriteStallTimeout(connection.id.slot == 0 ? 0 : 500)
            connection.send([0x01])
        }
        let loop = loop()
        let peers = loop.connect(2)
        peers.forEach { $0.window = 0 }
        loop.advance(milliseconds: 2_500)
        #expect(peers.map(\.isClosed) == [false, true])
        loop.advance(milliseconds: 1_000_000)
        #expect(!peers[0].isClosed)
    }

    @Test func `bytes that were queued in the turn of the check are not a stall`() {
        handler.onOpened = { connection in
            connection.setWriteStallTimeout(500)
            connection.send([0x01, 0x02])
        }
        let loop = loop()
        let peer = loop.connect()
        peer.window = 1
        loop.rest()
        peer.window = .max
        loop.rest()
        handler.onReceived = { bytes, connection in
            connection.send(bytes)
            return bytes.count
        }
        loop.clock.advance(5_000)
        peer.send([0x03])
        loop.rest()
        #expect(peer.receivedBytes == [1, 2, 3] && !peer.isClosed)
    }

    @Test func `whoever is there at the time of the cut is cut, also a slow reader that is closing`() {
        handler.onOpened = { $0.send(Array(repeating: 0x61, count: 50_000)) }
        let loop = loop()
        let peers = loop.connect(2)
        peers[0].window = 10
        loop.rest()
        handler.with(handler.open[0]) { $0.close() }
        handler.onStopping = { loop.loop.cutConnections(at: loop.loop.now + 10_000) }
        loop.loop.stop()
        for _ in 0..<9 {
            peers[0].makeRoom(1_200)
            loop.advance(milliseconds: 1_000)
        }
        #expect(handler.closedCount == 0 && !loop.loop.hasEnded)
        loop.advance(milliseconds: 1_100)
        #expect(handler.closedCount == 2 && loop.loop.hasEnded)
    }
}
