import ReactorTesting
import Testing

@testable import Reactor

/// A loop that was stopped for a while (a signal, a handler that blocks): what came meanwhile is read before anything
/// is judged by the clock. And what was taken long ago counts from then on.
@Suite(.endingAll) struct LoopPauseTests {
    private let handler = RecordingHandler()

    private func loop(_ change: (inout SimulatedDriver.Options) -> Void = { _ in }) -> SimulatedLoop {
        var options = SimulatedDriver.Options()
        change(&options)
        return SimulatedLoop(options) { _ in handler }
    }

    /// Whoever says something has another second.
    private func giveEachASecond() {
        handler.onOpened = { $0.setDeadline($0.loop.now + 1_000) }
        handler.onReceived = { bytes, connection in
            connection.setDeadline(connection.loop.now + 1_000)
            return bytes.count
        }
        handler.onDeadline = { $0.abort() }
    }

    private var silentCount: Int { handler.events.count { $0 == .deadlineReached } }

    @Test(arguments: [0, 1, 2], [Int.max, 20, 1])
    func `who has sent while the process was stopped is not taken for silent`(interruptions: Int, limit: Int) {
        giveEachASecond()
        let loop = loop { $0.completionLimit = limit }
        let peers = loop.connect(50)
        loop.rest()
        for peer in peers { peer.send([1]) }
        loop.driver.nextWaitDuration = 5_000
        loop.driver.interruptedWaits = min(interruptions, 1)
        loop.turn()
        #expect(handler.open.count == 50 && silentCount == 0)
        loop.rest()
        loop.advance(milliseconds: 1_128)
        #expect(silentCount == 50, "and silence is judged again from then on")
    }

    @Test func `who has sent while a handler blocked is not taken for silent`() {
        giveEachASecond()
        let loop = loop { $0.completionLimit = 20 }
        let peers = loop.connect(50)
        loop.rest()
        handler.onTurnEnd = { [handler] in
            handler.onTurnEnd = {}
            loop.clock.advance(4_000)
        }
        loop.turn()
        for peer in peers { peer.send([1]) }
        loop.turn()
        #expect(handler.open.count == 50 && silentCount == 0)
    }

    @Test func `who finds no receive buffer behind a pause is read before it is judged`() {
        giveEachASecond()
        let loop = loop { $0.smallBuffers = (8, 64) }
        let peers = loop.connect(100)
        loop.rest()
        for peer in peers { peer.send([1]) }
        loop.driver.nextWaitDuration = 5_000
        loop.rest()
        #expect(handler.open.count == 100 && silentCount == 0)
    }

    @Test func `timers do not wait for ever for receive buffers that others use`() {
        handler.onOpened = { $0.setDeadline($0.loop.now + 1_000) }
        let loop = loop { $0.smallBuffers = (1, 64) }
        let peers = loop.connect(3)
        loop.rest()
        for peer in peers.dropFirst() { peer.send([UInt8](repeating: 1, count: 64_000)) }
        loop.driver.nextWaitDuration = 5_000
        var turns = 0
        while silentCount < 3, turns < 1_000 {
            loop.turn()
            turns += 1
        }
        #expect((60...70).contains(turns))
    }

    @Test func `a handshake that is completed while the process was stopped is none too slow`() throws {
        let server = try TLSServer(TLSConfiguration(certificates: [TestAuthority().issue("localhost")]))
        let loop = SimulatedLoop(tls: server) { _ in handler }
        let wires = (0..<40).map { _ in TLSWire(loop) }
        loop.rest()
        for wire in wires {
            try wire.tls.receive([])
            wire.socket.send(wire.tls.takeOutput())
        }
        loop.rest()
        for wire in wires {
            try wire.tls.receive(wire.socket.takeReceivedBytes())
            wire.socket.send(wire.tls.takeOutput())
        }
        loop.driver.nextWaitDuration = 20_000
        loop.driver.interruptedWaits = 1
        loop.rest()
        #expect(handler.open.count == 40)
    }

    @Test(arguments: [true, false])
    func `what a peer took while the process was stopped is no write stall`(everything: Bool) {
        handler.onOpened = { $0.send([UInt8](repeating: 1, count: 1_000)) }
        let loop = loop()
        let peer = loop.connect()
        peer.window = 10
        loop.rest()
        peer.makeRoom(everything ? 2_000 : 20)
        loop.driver.nextWaitDuration = 100_000
        loop.driver.interruptedWaits = 1
        loop.rest()
        #expect(handler.open.count == 1)
        loop.advance(milliseconds: 70_000)
        #expect(handler.open.count == (everything ? 1 : 0))
    }

    @Test func `progress was made when the kernel took the bytes, not when the loop wakes next`() {
        handler.onReceived = { bytes, connection in
            connection.send(bytes)
            return bytes.count
        }
        let loop = loop()
        let peer = loop.connect()
        loop.rest()
        peer.send([1])
        loop.turn()
        let taken = loop.clock.milliseconds
        loop.driver.nextWaitDuration = 10_000
        loop.turn(2)
        handler.withEach { connection in
            #expect(connection.slot.state.lastProgress == taken)
            let end = connection.endOfPatience(10_000)
            #expect(end == nil)
        }
    }
}
