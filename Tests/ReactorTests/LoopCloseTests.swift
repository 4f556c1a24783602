import ReactorTesting
import Testing

@testable import Reactor

@Suite(.endingAll) struct LoopCloseTests {
    private let handler = RecordingHandler()

    private func loop(batches: Bool = true) -> SimulatedLoop {
        var options = SimulatedDriver.Options()
        options.sendsInBatches = batches
        return SimulatedLoop(options) { _ in handler }
    }

    // MARK: in good order

    @Test(arguments: [true, false])
    func `what was sent before a close arrives, with the FIN directly behind it`(batches: Bool) {
        handler.onOpened = { connection in
            connection.send("bye")
            connection.close()
            connection.send("too late")
        }
        let loop = loop(batches: batches)
        let peer = loop.connect()
        loop.rest()
        #expect(peer.receivedBytes == Array("bye".utf8))
        #expect(peer.hasSeenEnd && !peer.isClosed)
        #expect(handler.events == [.opened])
        peer.end()
        loop.rest()
        #expect(handler.events == [.opened, .closed(.local)])
        #expect(peer.isClosed && !peer.hasSeenReset)
    }

    @Test func `unread input is drained, so that no reset destroys the answer`() {
        handler.onReceived = { bytes, connection in
            connection.send("no")
            connection.close()
            return 0
        }
        let loop = loop()
        let peer = loop.connect()
        peer.send(Array(repeating: 0x41, count: 100_000))
        loop.rest()
        for _ in 0..<5 {
            peer.send(Array(repeating: 0x41, count: 100_000))
            loop.rest()
        }
        #expect(peer.unreadByteCount == 0 && !peer.isClosed)
        peer.end()
        loop.rest()
        #expect(peer.isClosed && !peer.hasSeenReset)
        #expect(peer.receivedBytes == Array("no".utf8))
    }

    @Test func `a peer that never ends is cut two seconds after the FIN`() {
        handler.onOpened = { $0.close() }
        let loop = loop()
        let peer = loop.connect()
        loop.rest()
        loop.advance(milliseconds: 1_900)
        #expect(!peer.isClosed)
        loop.advance(milliseconds: 300)
        #expect(peer.isClosed)
        #expect(handler.events == [.opened, .closed(.local)])
    }

    @Test func `a peer that goes on sending is cut after 1 MiB`() {
        handler.onOpened = { $0.close() }
        let loop = loop()
        let peer = loop.connect()
        loop.rest()
        peer.send(Array(repeating: 0, count: 1 << 20))
        loop.rest()
        #expect(!peer.isClosed)
        peer.send([0])
        loop.rest()
        #expect(peer.isClosed)
    }

    @Test(arguments: [true, false])
    func `a slow reader gets all of it, at a kilobyte a second`(batches: Bool) {
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
        handler.onOpened = { connection in
            connection.send(bytes)
            connection.close()
        }
        let loop = loop(batches: batches)
        let peer = loop.connect()
        peer.window = 0
        for _ in 0..<9 {
            loop.advance(milliseconds: 1_100)
            peer.makeRoom(1_150)
        }
        loop.rest()
        #expect(peer.receivedBytes == bytes)
        #expect(peer.hasSeenEnd && !peer.isClosed)
    }

    @Test(arguments: [true, false])
    func `a reader that takes a byte now and then does not keep what is queued`(batches: Bool) {
        handler.onOpened = { connection in
            connection.send([UInt8](repeating: 0x41, count: 100_000))
            connection.close()
        }
        let loop = loop(batches: batches)
        let peer = loop.connect()
        peer.window = 0
        for _ in 0..<5 {
            loop.advance(milliseconds: 1_500)
            peer.makeRoom(1)
        }
        #expect(peer.isClosed && peer.receivedBytes.count < 5)
        #expect(handler.events == [.opened, .closed(.local)])
    }

    @Test(arguments: [true, false])
    func `a reader that takes nothing is cut two seconds after the close`(batches: Bool) {
        handler.onOpened = { connection in
            connection.send([0x01])
            connection.close()
        }
        let loop = loop(batches: batches)
        let peer = loop.connect()
        peer.window = 0
        loop.advance(milliseconds: 1_900)
        #expect(!peer.isClosed)
        loop.advance(milliseconds: 300)
        #expect(peer.isClosed && peer.receivedBytes == [])
        #expect(handler.events == [.opened, .closed(.local)])
    }

    @Test func `a reader that takes what the socket holds gets the rest, too`() {
        handler.onOpened = { connection in
            connection.send([0x01])
            connection.close()
        }
        let loop = loop()
        let peer = loop.connect()
        peer.window = 0
        for round in 0..<10 {
            peer.untakenByteCount = 1_000_000 - round * 2_000
            loop.advance(milliseconds: 1_500)
        }
        peer.makeRoom(1)
        loop.rest()
        #expect(peer.receivedBytes == [0x01] && peer.hasSeenEnd)
    }

    @Test(arguments: [true, false], [0, 1, 3])
    func `a connection that is cut is closed, also if cancels miss`(isBlocked: Bool, misses: Int) {
        handler.onOpened = { $0.send([0x01]) }
        let loop = loop()
        let peer = loop.connect()
        if isBlocked { peer.window = 0 }
        loop.rest()
        loop.driver.missedCancels = misses
        handler.withEach { $0.abort() }
        loop.rest()
        #expect(peer.isClosed && loop.driver.openCount == 0 && loop.driver.missedCancels == 0)
        let operations = isBlocked ? 2 : 1
        #expect(loop.driver.counts.cancels >= operations + misses)
        if misses == 0 { #expect(loop.driver.counts.cancels == operations, "nothing is cancelled that is not there") }
    }

    @Test func `closing while input is held and the receive is being canceled still sees the peer's end`() {
        let loop = loop()
        let peer = loop.connect()
        peer.window = 0
        handler.onReceived = { bytes, connection in
            connection.pauseReceiving()
            return 0
        }
        handler.onTurnEnd = { [handler] in
            handler.withEach { connection in
                guard loop.loop.heldByteCount(connection.slot) > EventLoop.heldByteLimit else { return }
                connection.send([0x01])
                connection.close()
            }
        }
        peer.send(Array(repeating: 0x41, count: 80_000))
        loop.rest()
        peer.makeRoom(10)
        loop.rest()
        #expect(peer.hasSeenEnd)
        peer.end()
        loop.rest()
        #expect(peer.isClosed && handler.events.last == .closed(.local))
    }

    @Test func `the peer's end is answered with ours`() {
        let loop = loop()
        let peer = loop.connect()
        peer.end()
        loop.rest()
        #expect(peer.isClosed && !peer.hasSeenReset)
        #expect(handler.events == [.opened, .inputEnded, .closed(.peer)])
    }

    @Test func `the peer's end behind an answer that is being sent ends the connection in the same turn`() {
        handler.onReceived = { bytes, connection in
            connection.send(bytes)
            return bytes.count
        }
        let loop = loop()
        loop.driver.options.acceptsRepeatedly = false
        let peer = loop.connect()
        loop.rest()
        peer.send([0x01])
        loop.turn()
        peer.end()
        _ = loop.connect()  // whose accept asks for the next one
        loop.turn()
        #expect(handler.events.contains(.closed(.peer)))
        #expect(peer.receivedBytes == [0x01])
    }

    @Test func `a handler may go on sending after the peer's end`() {
        handler.onInputEnded = { _ in }
        let loop = loop()
        let peer = loop.connect()
        peer.end()
        loop.rest()
        handler.withEach { $0.send("more") }
        loop.rest()
        #expect(peer.receivedBytes == Array("more".utf8) && !peer.hasSeenEnd)
        handler.withEach { $0.close() }
        loop.rest()
        #expect(handler.events == [.opened, .inputEnded, .closed(.peer)])
    }

    // MARK: at once

    @Test func `a reset is an end by the peer`() {
        let loop = loop()
        let peer = loop.connect()
        loop.rest()
        peer.reset()
        loop.rest()
        #expect(handler.events == [.opened, .closed(.peer)])
        #expect(peer.isClosed)
    }

    @Test(arguments: [true, false])
    func `abort loses what is queued`(batches: Bool) {
        handler.onOpened = { connection in
            connection.send([0x01])
            connection.abort()
        }
        let loop = loop(batches: batches)
        let peer = loop.connect()
        loop.rest()
        #expect(peer.isClosed && peer.receivedBytes == [])
        #expect(handler.events == [.opened, .closed(.local)])
    }

    @Test func `a reset is what the peer sees, and loses what is queued`() {
        handler.onOpened = { connection in
            connection.send([0x01])
            connection.reset()
            connection.reset()
        }
        let loop = loop()
        let peer = loop.connect()
        loop.rest()
        #expect(peer.isClosed && peer.hasSeenReset && !peer.hasSeenEnd && peer.receivedBytes == [])
        #expect(handler.events == [.opened, .closed(.local)])
    }

    @Test(arguments: [true, false])
    func `abort takes back a send that the peer does not take`(batches: Bool) {
        let loop = loop(batches: batches)
        let peer = loop.connect()
        peer.window = 1
        handler.onOpened = { $0.send([0x01, 0x02]) }
        loop.rest()
        handler.withEach { $0.abort() }
        loop.turn(4)
        #expect(peer.isClosed && peer.receivedBytes == [0x01])
        #expect(loop.driver.openCount == 0 && loop.loop.connectionCount == 0)
    }

    // MARK: from inside every call

    enum Moment: CaseIterable {
        case opened, received, heldDelivery, drained, inputEnded, deadline, turnEnd, otherClosed
    }

    @Test(arguments: Moment.allCases, [true, false])
    func `a connection may be ended from within any call`(moment: Moment, gracefully: Bool) {
        func end(_ connection: Connection) { gracefully ? connection.close() : connection.abort() }
        let loop = loop()
        let peer = loop.connect()
        switch moment {
        case .opened: handler.onOpened = end
        case .received:
            handler.onReceived = { bytes, connection in
                end(connection)
                return 1
            }
        case .heldDelivery:
            var calls = 0
            handler.onReceived = { bytes, connection in
                calls += 1
                if calls == 3 { end(connection) } else { connection.continueNextTurn() }
                return 1
            }
        case .drained:
            peer.window = 1
            handler.onOpened = { $0.send([0x01, 0x02]) }
            handler.onDrained = end
        case .inputEnded: handler.onInputEnded = end
        case .deadline:
            handler.onOpened = { $0.setDeadline($0.loop.now + 100) }
            handler.onDeadline = end
        case .turnEnd: handler.onTurnEnd = { [handler] in handler.withEach(end) }
        case .otherClosed:
            handler.onClosed = { [handler] _, _ in handler.withEach(end) }
            handler.onOpened = { if $0.id.slot == 1 { $0.abort() } }
            _ = loop.connect()
        }
        peer.send([0x61, 0x62, 0x63, 0x64])
        loop.rest()
        handler.withEach { $0.notifyWhenDrained() }
        peer.makeRoom(10)
        loop.advance(milliseconds: 300)
        peer.end()
        loop.rest()
        loop.advance(milliseconds: 3_000)
        #expect(peer.isClosed)
        #expect(handler.open == [] && loop.loop.connectionCount == 0)
        #expect(loop.driver.loanCount == 0)
    }

    // MARK: slots and their generations

    @Test func `a completion of an earlier life gives its buffer back and reaches nobody`() {
        let loop = loop()
        for _ in 0..<50 {
            let peer = loop.connect()
            loop.rest()
            handler.withEach { $0.abort() }
            peer.send(Array(repeating: 0x41, count: 20_000))
            loop.turn()
            peer.send(Array(repeating: 0x41, count: 20_000))
            loop.rest()
        }
        #expect(loop.driver.loanCount == 0)
        #expect(handler.closedCount == 50)
        #expect(!handler.events.contains { if case .received = $0 { true } else { false } })
        #expect(Set(handler.log.map(\.connection)).count == 50, "no id is used twice")
        #expect(handler.log.allSatisfy { $0.connection.slot == 0 }, "the slot is used again")
    }

    @Test func `what is corked for a connection that ended reaches no other one in its slot`() {
        let loop = loop()
        handler.onOpened = { connection in
            connection.send([0x01])
            connection.abort()
        }
        _ = loop.connect()
        loop.turn()
        handler.onOpened = { $0.send([0x02]) }
        let second = loop.connect()
        loop.rest()
        #expect(second.receivedBytes == [0x02])
    }

    @Test func `a turn ends when its closes have been told, so that nothing they led to has to wait`() {
        var toldByTurnsEnd: [Int] = []
        handler.onTurnEnd = { [handler] in toldByTurnsEnd.append(handler.closedCount) }
        let loop = loop()
        let peer = loop.connect()
        loop.rest()
        peer.reset()
        loop.turn()
        #expect(handler.closedCount == 1 && toldByTurnsEnd.last == 1)
    }
}
