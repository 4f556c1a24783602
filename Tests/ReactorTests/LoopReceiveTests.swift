import Glibc
import ReactorTesting
import Testing

@testable import Reactor

@Suite(.endingAll) struct LoopReceiveTests {
    private let handler = RecordingHandler()

    private func loop(_ change: (inout SimulatedDriver.Options) -> Void = { _ in }) -> SimulatedLoop {
        var options = SimulatedDriver.Options()
        change(&options)
        return SimulatedLoop(options) { _ in handler }
    }

    private var deliveries: [[UInt8]] {
        handler.events.compactMap { if case .received(let bytes) = $0 { bytes } else { nil } }
    }

    @Test(arguments: [
        (ECONNRESET, DisconnectReason.peer), (ETIMEDOUT, .peer), (EPIPE, .peer),
        (EHOSTUNREACH, .error(EHOSTUNREACH)), (ENOMEM, .error(ENOMEM)),
    ])
    func `a receive that fails ends the connection once, by the peer or with what the kernel says`(
        _ error: Int32, _ reason: DisconnectReason
    ) {
        let loop = loop()
        let peer = loop.connect()
        peer.send([1])
        loop.rest()
        peer.reset(error)
        loop.rest()
        loop.advance(milliseconds: 10_000)
        #expect(handler.events == [.opened, .received([1]), .closed(reason)])
        #expect(loop.driver.openCount == 0 && loop.driver.loanCount == 0)
    }

    // MARK: held input

    @Test func `what was not consumed comes again in front of the next bytes, as one piece`() {
        handler.onReceived = { bytes, _ in bytes.count / 4 * 4 }
        let loop = loop()
        let peer = loop.connect()
        for part in [[0x01, 0x02], [0x03], [0x04, 0x05], [0x06, 0x07, 0x08]] as [[UInt8]] {
            peer.send(part)
            loop.rest()
        }
        #expect(deliveries == [[1, 2], [1, 2, 3], [1, 2, 3, 4, 5], [5, 6, 7, 8]])
    }

    @Test func `what was not consumed does not come again by itself`() {
        handler.onReceived = { _, _ in 0 }
        let loop = loop()
        let peer = loop.connect()
        peer.send([0x01])
        loop.rest()
        loop.advance(milliseconds: 10_000)
        #expect(deliveries == [[1]])
    }

    @Test(arguments: 0..<20)
    func `records survive every segmentation`(seed: UInt64) {
        var records: [[UInt8]] = []
        handler.onReceived = { bytes, _ in
            var start = 0
            while start < bytes.count, start + 1 + Int(bytes[start]) <= bytes.count {
                records.append(Array(bytes[(start + 1)...].prefix(Int(bytes[start]))))
                start += 1 + Int(bytes[start])
            }
            return start
        }
        let loop = loop { $0.seed = seed }
        let peer = loop.connect()
        var random = SeededGenerator(seed: seed)
        var expected: [[UInt8]] = []
        for number in 0..<300 {
            let record = [UInt8](
                repeating: UInt8(truncatingIfNeeded: number), count: .random(in: 0...255, using: &random))
            expected.append(record)
            peer.send([UInt8(record.count)] + record)
            if random.oneIn(4) { loop.turn() }
        }
        loop.rest()
        #expect(records == expected)
        #expect(loop.driver.loanCount == 0)
    }

    @Test func `a connection is given 32 KiB of small buffers a turn, and the rest in the next ones`() {
        let loop = loop()
        let peer = loop.connect()
        loop.rest()
        let bytes = (0..<200 << 10).map { UInt8(truncatingIfNeeded: $0 >> 10) }
        peer.send(bytes)
        loop.turn()
        #expect(deliveries.joined().count == 32 << 10)
        loop.rest()
        #expect(deliveries.joined().elementsEqual(bytes))
        #expect(loop.driver.loanCount == 0)
    }

    // MARK: pausing

    @Test func `a paused connection is given nothing, and the kernel is told to stop at 64 KiB`() {
        handler.onOpened = { $0.pauseReceiving() }
        let loop = loop()
        let peer = loop.connect()
        var sent: [UInt8] = []
        for round in 0..<100 {
            let bytes = [UInt8](repeating: UInt8(round), count: 4096)
            sent += bytes
            peer.send(bytes)
            loop.rest()
        }
        #expect(deliveries == [])
        let taken = sent.count - peer.unreadByteCount
        #expect(taken > EventLoop.heldByteLimit && taken <= EventLoop.heldByteLimit + 2 * 4096)
        #expect(loop.driver.counts.cancels == 1)

        handler.withEach { $0.resumeReceiving() }
        loop.rest()
        #expect(deliveries.joined().elementsEqual(sent))
        #expect(loop.driver.loanCount == 0)
    }

    @Test func `the peer's end is told behind the bytes that were held`() {
        handler.onOpened = { $0.pauseReceiving() }
        let loop = loop()
        let peer = loop.connect()
        peer.send([0x01])
        peer.end()
        loop.rest()
        #expect(handler.events == [.opened])
        handler.withEach { $0.resumeReceiving() }
        loop.rest()
        #expect(handler.events == [.opened, .received([1]), .inputEnded, .closed(.peer)])
    }

    @Test func `a handler that pauses and leaves bytes gets them when it resumes`() {
        handler.onReceived = { _, connection in
            connection.pauseReceiving()
            return 1
        }
        let loop = loop()
        let peer = loop.connect()
        peer.send([0x01, 0x02, 0x03])
        loop.rest()
        #expect(deliveries == [[1, 2, 3]])
        for _ in 0..<2 {
            handler.withEach { $0.resumeReceiving() }
            loop.rest()
        }
        #expect(deliveries == [[1, 2, 3], [2, 3], [3]])
    }

    // MARK: fairness

    @Test func `a connection that goes on next turn holds nobody up`() {
        handler.onReceived = { bytes, connection in
            guard bytes.count > 1 else { return 1 }
            connection.continueNextTurn()
            return 1
        }
        let loop = loop()
        let flood = loop.connect()
        let others = loop.connect(3)
        flood.send(Array(repeating: 0x46, count: 4096))
        loop.turn()
        for round in 0..<20 {
            let before = handler.log.count
            for other in others { other.send([UInt8(round)]) }
            loop.turn()
            let turn = handler.events[before...]
            #expect(turn.filter { $0 == .received([UInt8(round)]) }.count == 3, "each is served in the same turn")
            #expect(turn.count <= 5, "and the flood not more than twice")
        }
        loop.rest()
        #expect(deliveries.filter { $0.first == 0x46 }.count == 4096)
    }

    @Test func `continuing without anything left calls nobody`() {
        handler.onReceived = { bytes, connection in
            connection.continueNextTurn()
            return bytes.count
        }
        let loop = loop()
        loop.connect().send([0x01])
        loop.rest()
        #expect(deliveries == [[1]])
    }

    // MARK: buffers

    @Test func `who finds no buffer is served in order, and nobody tries in vain again`() {
        let loop = loop { $0.smallBuffers = (8, 64) }
        let peers = loop.connect(100)
        loop.rest()
        #expect(loop.driver.counts.receives == 100)
        for (number, peer) in peers.enumerated() { peer.send([UInt8(number)]) }
        loop.rest()
        #expect(deliveries == (0..<100).map { [UInt8($0)] })
        #expect(loop.loop.statistics.bufferStarvations.value == 92)
        #expect(loop.driver.counts.receives == 192)
        #expect(loop.driver.loanCount == 0)
    }

    @Test func `a connection that ends while it waits for a buffer is not served`() {
        let loop = loop { $0.smallBuffers = (2, 64) }
        let peers = loop.connect(20)
        loop.rest()
        handler.onReceived = { [handler] bytes, connection in
            handler.withEach { if $0.id.slot % 2 == 1 { $0.abort() } }
            return bytes.count
        }
        for peer in peers { peer.send([0x01]) }
        loop.rest()
        #expect(deliveries.count == 10)
        #expect(handler.closedCount == 10)
        #expect(loop.driver.loanCount == 0)
    }

    @Test func `a connection that ended while it waited for a buffer leaves nothing to the next one in its slot`() {
        let loop = loop { $0.smallBuffers = (2, 64) }
        let peers = loop.connect(20)
        loop.rest()
        var next: [SimulatedPeer] = []
        handler.onReceived = { [handler] bytes, connection in
            if next.isEmpty {
                handler.withEach { if $0.id.slot % 2 == 1 { $0.abort() } }
                next = loop.connect(10)
            }
            return bytes.count
        }
        for peer in peers { peer.send([0x01]) }
        loop.rest()
        #expect(loop.loop.connectionCount == 20)
        // One for each connection, and one more for the nine that had waited and were still there.
        #expect(loop.driver.counts.receives == 39)
    }

    @Test func `a connection changes to large buffers and back, and loses nothing`() {
        var received: [UInt8] = []
        var sizes: [Int] = []
        handler.onReceived = { bytes, connection in
            received += bytes
            sizes.append(bytes.count)
            connection.preferLargeBuffers(received.count < 600_000)
            return bytes.count
        }
        let loop = loop()
        let peer = loop.connect()
        var sent: [UInt8] = []
        for round in 0..<15 {
            let bytes = (0..<(round < 10 ? 100_000 : 10_000)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ round) }
            sent += bytes
            peer.send(bytes)
            loop.rest()
        }
        #expect(received == sent)
        #expect(sizes.first == 4096 && sizes.contains(65536) && sizes.last! <= 4096)
        #expect(loop.driver.loanCount == 0)
    }
}
