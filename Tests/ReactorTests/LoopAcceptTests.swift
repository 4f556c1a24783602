import Glibc
import ReactorTesting
import Synchronization
import Testing

@testable import Reactor

@Suite(.endingAll) struct LoopAcceptTests {
    private let handler = RecordingHandler()

    private func loop(
        _ change: (inout SimulatedDriver.Options) -> Void = { _ in }, log: @escaping LogSink = { _, _ in }
    ) -> SimulatedLoop {
        var options = SimulatedDriver.Options()
        change(&options)
        return SimulatedLoop(options, log: log) { _ in handler }
    }

    @Test(arguments: [true, false])
    func `connections are opened in the order of their arrival`(acceptsRepeatedly: Bool) {
        var order: [UInt8] = []
        handler.onReceived = { bytes, connection in
            order.append(UInt8(connection.id.slot))
            #expect(bytes == [UInt8(connection.id.slot)])
            return bytes.count
        }
        let loop = loop { $0.acceptsRepeatedly = acceptsRepeatedly }
        for (number, peer) in loop.connect(50).enumerated() { peer.send([UInt8(number)]) }
        loop.rest()
        #expect(order == Array(0..<50))
        #expect(loop.loop.statistics.accepted.value == 50 && loop.loop.statistics.connections.value == 50)
        #expect(loop.driver.counts.accepts == (acceptsRepeatedly ? 1 : 51))
    }

    @Test func `out of descriptors, the loop says so once, waits, and goes on when one is free`() {
        let lines = Lines()
        let loop = loop({ $0.descriptorLimit = 2 }, log: lines.append)
        let peers = loop.connect(4)
        loop.rest()
        #expect(loop.loop.connectionCount == 2)
        loop.advance(milliseconds: 10_000)
        #expect(loop.driver.counts.accepts <= 2 + 10_000 / 200, "no faster than every 200 ms")
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.contains("ulimit -n") == true)

        handler.with(handler.open[0]) { $0.abort() }
        loop.rest()
        #expect(peers.map { $0.descriptor != nil } == [true, true, true, false], "at once, not after the pause")
        handler.with(handler.open[0]) { $0.abort() }
        loop.rest()
        #expect(peers[3].descriptor != nil)
        #expect(handler.closedCount == 2 && handler.open.count == 2)
    }

    @Test func `descriptors that another part of the process freed are found within 200 ms`() {
        let loop = loop { $0.descriptorLimit = 0 }
        let peer = loop.connect()
        loop.rest()
        loop.driver.options.descriptorLimit = 10
        loop.advance(milliseconds: 201)
        #expect(peer.descriptor != nil)
    }

    @Test func `a peer that has gone before it was accepted disturbs nobody`() {
        let loop = loop()
        loop.driver.acceptErrors = [ECONNABORTED]
        let peer = loop.connect()
        loop.rest()
        #expect(peer.descriptor != nil)
    }

    // MARK: stopping

    @Test func `a loop without connections ends when it is asked to`() {
        let loop = loop()
        loop.rest()
        loop.stop()
        #expect(loop.driver.closedListeners == [SimulatedDriver.listener])
    }

    @Test(arguments: [true, false])
    func `a loop that waits for descriptors when it is stopped closes its listener at once`(_ isFreed: Bool) {
        let loop = loop { $0.descriptorLimit = 0 }
        let peer = loop.connect()
        loop.rest()
        #expect(peer.descriptor == nil)
        if isFreed { loop.driver.options.descriptorLimit = 1 }
        handler.onStopping = { [handler] in handler.withEach { $0.close() } }
        loop.loop.stop()
        loop.rest()
        #expect(loop.driver.closedListeners == [SimulatedDriver.listener])
        #expect(peer.wasRefused == !isFreed && handler.closedCount == 0)
        if isFreed { peer.end() }
        loop.stop()
        #expect(loop.driver.openCount == 0 && handler.closedCount == (isFreed ? 1 : 0))
    }

    @Test(arguments: [1, 5], [true, false])
    func `a cancel that finds no accept is repeated, or the loop would never end`(misses: Int, isShared: Bool) {
        let loop = loop()
        loop.loop.state.listeners[0].isShared = isShared
        loop.rest()
        loop.driver.missedCancels = misses
        loop.stop()
        #expect(loop.driver.missedCancels == 0 && loop.driver.counts.cancels == misses + 1)
        #expect(loop.driver.closedListeners == [SimulatedDriver.listener])
    }

    @Test func `a cancel that comes too late harms nothing`() {
        let loop = loop { $0.acceptsRepeatedly = false }
        loop.rest()
        // The accept is over before the cancel is handed over.
        let peer = loop.connect()
        loop.driver.missedCancels = 1
        handler.onStopping = { [handler] in handler.withEach { $0.close() } }
        loop.stop()
        #expect(loop.driver.closedListeners == [SimulatedDriver.listener])
        #expect(!peer.wasRefused && handler.closedCount == 1)
    }

    @Test(arguments: [true, false])
    func `a loop ends once its handler has closed every connection`(gracefully: Bool) {
        handler.onStopping = { [handler] in
            handler.withEach { connection in
                connection.send("bye")
                gracefully ? connection.close() : connection.abort()
            }
        }
        let loop = loop()
        let peers = loop.connect(10)
        loop.rest()
        loop.stop()
        #expect(handler.closedCount == 10 && loop.driver.openCount == 0)
        #expect(peers.allSatisfy { $0.receivedBytes == (gracefully ? Array("bye".utf8) : []) })
    }

    @Test func `what waits on a listener when it is closed is accepted, before the handler hears of the stop`() {
        var openAtStop: Int?
        handler.onStopping = { [handler] in
            openAtStop = handler.open.count
            handler.withEach { $0.close() }
        }
        let loop = loop()
        loop.rest()
        let peers = loop.connect(3)
        loop.loop.stop()
        let late = loop.connect()
        loop.stop()
        #expect(openAtStop == 4)
        #expect(peers.allSatisfy { $0.isClosed } && late.isClosed && !late.wasRefused)
        #expect(handler.closedCount == 4 && loop.driver.openCount == 0)
    }

    @Test func `a listener on a shared port completes handshakes for a moment before it is closed`() {
        let loop = loop()
        loop.loop.state.listeners[0].isShared = true
        loop.rest()
        loop.loop.stopAccepting()
        #expect(loop.driver.listenersThatIgnore == [SimulatedDriver.listener])
        loop.advance(milliseconds: 150)
        #expect(loop.driver.closedListeners == [])
        let late = loop.connect()
        loop.advance(milliseconds: 100)
        #expect(loop.driver.closedListeners == [SimulatedDriver.listener])
        #expect(handler.open.count == 1 && !late.wasRefused)
        handler.withEach { $0.abort() }
        loop.stop()
    }

    @Test func `a loop that stops accepting serves what it has, and hears of no stop`() {
        handler.onStopping = { Issue.record("nobody stops it") }
        handler.onReceived = { bytes, connection in
            connection.send(bytes)
            return bytes.count
        }
        let loop = loop()
        let open = loop.connect()
        loop.rest()
        let waiting = loop.connect()
        loop.loop.stopAccepting()
        loop.rest()
        #expect(loop.driver.closedListeners == [SimulatedDriver.listener])
        for peer in [open, waiting] { peer.send([1]) }
        loop.rest()
        #expect(open.receivedBytes == [1] && waiting.receivedBytes == [1])
        handler.onStopping = { [handler] in handler.withEach { $0.close() } }
        loop.stop()
    }
}

/// What a loop says.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    @Sendable func append(_ level: LogLevel, _ line: String) { lines.withLock { $0.append(line) } }
}
