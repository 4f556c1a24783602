import CSystemCalls
import Glibc
import ReactorTesting
import Testing

@testable import Reactor

/// Behind the FIN: what the kernel holds for a slow reader arrives, whatever the reader says meanwhile.
@Suite(.endingAll) struct LoopLingerTests {
    private let handler = RecordingHandler()

    @Test func `a slow reader has its time behind the FIN, too`() {
        handler.onOpened = { $0.close() }
        let loop = SimulatedLoop { _ in handler }
        let peer = loop.connect()
        peer.untakenByteCount = 1_000_000
        for round in 1...20 {
            loop.advance(milliseconds: 1_500)
            peer.untakenByteCount = 1_000_000 - round * 2_000
            peer.send([1])
        }
        loop.rest()
        #expect(peer.hasSeenEnd && !peer.isClosed)
        peer.untakenByteCount = 0
        loop.advance(milliseconds: 1_900)
        #expect(!peer.isClosed, "it may still have something to say")
        loop.advance(milliseconds: 4_200)
        #expect(peer.isClosed)
    }

    @Test(arguments: [1, 1_000, 17_000, 1_000_000])
    func `a reader that takes nothing behind the FIN is cut`(untaken: Int) {
        handler.onOpened = { $0.close() }
        let loop = SimulatedLoop { _ in handler }
        let peer = loop.connect()
        peer.untakenByteCount = untaken
        loop.advance(milliseconds: 1_900)
        #expect(!peer.isClosed)
        loop.advance(milliseconds: 400)
        #expect(peer.isClosed, "nothing that has been there all the time counts as taken")
    }

    @Test func `a reader that takes less than a kilobyte a second behind the FIN is cut`() {
        handler.onOpened = { $0.close() }
        let loop = SimulatedLoop { _ in handler }
        let peer = loop.connect()
        peer.untakenByteCount = 1_000_000
        for _ in 0..<10 {
            loop.advance(milliseconds: 1_500)
            peer.untakenByteCount -= 10
        }
        #expect(peer.isClosed)
    }

    @Test(.blocking) func `a real slow reader that talks meanwhile gets everything, and the end`() throws {
        let bytes = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var slot: ConnectionSlot?
        handler.onOpened = { connection in
            slot = connection.slot
            var size: Int32 = 1 << 20
            let length = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe setsockopt(connection.slot.state.descriptor, SOL_SOCKET, SO_SNDBUF, &size, length)
            connection.send(bytes)
            connection.close()
        }
        let loop = try RealLoop(handler)
        let client = TCPClient(port: loop.port, receiveBuffer: 8_192)
        loop.turn { slot?.state.phase == .lingering }
        let descriptor = try #require(slot?.state.descriptor)
        var received: [UInt8] = []
        var steps = 0
        while received.count < bytes.count - 20_000, handler.closedCount == 0 {
            let untaken = ringcast_untaken_bytes(descriptor)
            repeat {
                received += client.receive(upTo: 4_096) ?? []
            } while ringcast_untaken_bytes(descriptor) >= untaken && received.count < bytes.count - 20_000
            client.send([1])
            loop.clock.advance(1_500)
            loop.turn()
            loop.turn()
            steps += 1
        }
        #expect(steps >= 4 && handler.closedCount == 0, "longer than the two seconds")
        received += client.receiveToEnd() ?? []
        #expect(received == bytes)
        client.end()
        loop.turn { handler.closedCount == 1 }
        loop.stop()
    }
}
