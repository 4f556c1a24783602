import ReactorTesting
import Testing

@testable import Reactor

@Suite(.endingAll) struct LoopSendTests {
    private let handler = RecordingHandler()

    private func loop(batches: Bool = true, _ change: (inout SimulatedDriver.Options) -> Void = { _ in })
        -> SimulatedLoop
    {
        var options = SimulatedDriver.Options()
        options.sendsInBatches = batches
        change(&options)
        return SimulatedLoop(options) { _ in handler }
    }

    @Test func `a connection is opened, received from, answered and closed, in this order`() {
        handler.onReceived = { bytes, connection in
            connection.send(Array(bytes.reversed()))
            return bytes.count
        }
        let loop = loop()
        let peer = loop.connect()
        peer.send([0x61, 0x62])
        loop.rest()
        #expect(peer.receivedBytes == [0x62, 0x61])
        peer.end()
        loop.rest()
        #expect(handler.events == [.opened, .received([0x61, 0x62]), .inputEnded, .closed(.peer)])
        #expect(peer.isClosed && peer.hasSeenEnd && !peer.hasSeenReset)
    }

    @Test(arguments: [true, false])
    func `everything that is queued in a turn leaves in one operation`(batches: Bool) {
        handler.onOpened = { connection in
            for number: UInt8 in 0..<100 { connection.send([number]) }
        }
        let loop = loop(batches: batches)
        let peer = loop.connect()
        loop.rest()
        #expect(peer.receivedBytes == Array(0..<100))
        #expect(loop.driver.counts.sends == 1)
        #expect(loop.loop.statistics.sendSubmissions.value == 1)
    }

    @Test(arguments: [true, false])
    func `a send that falls short goes on where it stopped`(batches: Bool) {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        handler.onOpened = { $0.send(bytes) }
        let loop = loop(batches: batches)
        let peer = loop.connect()
        peer.window = 10
        loop.rest()
        #expect(peer.receivedBytes == Array(bytes[..<10]))
        for _ in 0..<5 {
            peer.makeRoom(20_000)
            loop.rest()
        }
        #expect(peer.receivedBytes == bytes)
        #expect(loop.loop.statistics.bytesOut.value == bytes.count)
    }

    @Test(arguments: [true, false])
    func `a full socket is known as blocked, and drained is told once it has taken everything`(batches: Bool) {
        let loop = loop(batches: batches)
        let peer = loop.connect()
        peer.window = 0
        loop.rest()
        handler.withEach { connection in
            connection.send([0x01])
            let isBlocked = connection.isBlocked
            #expect(!isBlocked, "nothing has been tried yet")
        }
        loop.rest()
        handler.withEach { connection in
            let isBlocked = connection.isBlocked
            connection.notifyWhenDrained()
            connection.send([0x02])
            let count = connection.queuedByteCount
            #expect(isBlocked && count == 2)
        }
        loop.rest()
        #expect(!handler.events.contains(.drained))
        peer.makeRoom(2)
        loop.rest()
        #expect(handler.events == [.opened, .drained])
        #expect(peer.receivedBytes == [0x01, 0x02])
        handler.withEach { connection in
            let (isBlocked, count) = (connection.isBlocked, connection.queuedByteCount)
            #expect(!isBlocked && count == 0)
            connection.send([0x03])
        }
        loop.rest()
        peer.makeRoom(1)
        loop.rest()
        #expect(peer.receivedBytes == [0x01, 0x02, 0x03])
        #expect(handler.events == [.opened, .drained], "whoever was told has to ask anew")
    }

    @Test func `drained is not told to who did not ask for it, though it saw the connection blocked`() {
        handler.onOpened = { $0.send([0x01, 0x02]) }
        let loop = loop()
        let peer = loop.connect()
        peer.window = 1
        loop.rest()
        handler.withEach { connection in
            let isBlocked = connection.isBlocked
            #expect(isBlocked)
        }
        peer.makeRoom(1)
        loop.rest()
        #expect(handler.events == [.opened])
    }

    @Test(arguments: [true, false])
    func `more pieces than one operation takes leave without waiting for anything`(batches: Bool) {
        let echo = BorrowingEcho(pieceByteCount: 8)
        var options = SimulatedDriver.Options()
        options.sendsInBatches = batches
        let loop = SimulatedLoop(options) { _ in echo }
        let peer = loop.connect()
        let bytes = (0..<16_384).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        loop.rest()
        peer.send(bytes)
        loop.rest()
        #expect(peer.receivedBytes == bytes)
    }

    @Test func `a borrowed receive buffer comes back once the peer has taken it`() {
        let loop = SimulatedLoop { _ in BorrowingEcho(pieceByteCount: 1000) }
        let peer = loop.connect()
        peer.send(Array(repeating: 0x2A, count: 4000))
        loop.turn()
        loop.turn()
        #expect(loop.driver.loanCount == 1)
        loop.turn()
        #expect(loop.driver.loanCount == 0)
        #expect(peer.receivedBytes == Array(repeating: 0x2A, count: 4000))
    }

    @Test func `a borrowed receive buffer comes back at once when the peer is slow`() {
        let loop = SimulatedLoop { _ in BorrowingEcho(pieceByteCount: 1000) }
        let peer = loop.connect()
        let bytes = (0..<4000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        peer.send(bytes)
        peer.window = 1500
        loop.rest()
        #expect(loop.driver.loanCount == 0)
        peer.makeRoom(.max)
        loop.rest()
        #expect(peer.receivedBytes == bytes)
    }

    @Test func `a borrowed receive buffer comes back when the connection ends before it is sent`() {
        let echo = BorrowingEcho(pieceByteCount: 1000)
        echo.abortsAfterwards = true
        let loop = SimulatedLoop { _ in echo }
        let peer = loop.connect()
        peer.send(Array(repeating: 0x2A, count: 4000))
        loop.rest()
        #expect(loop.driver.loanCount == 0)
        #expect(peer.isClosed && peer.receivedBytes == [])
    }

    @Test func `no more than half of the receive buffers are ever lent`() {
        let loop = loop { $0.smallBuffers = (8, 64) }
        let peers = loop.connect(8)
        loop.rest()
        let borrower = BorrowingEcho(pieceByteCount: 64)
        loop.loop.install(borrower)
        for peer in peers { peer.send(Array(repeating: 0x2A, count: 64)) }
        loop.turn()
        #expect(loop.driver.loanCount == 4)
        #expect(borrower.refusalCount == 4)
        loop.rest()
        loop.turn()
        #expect(loop.driver.loanCount == 0)
        #expect(peers.allSatisfy { $0.receivedBytes.count == 64 })
        for peer in peers { peer.send(Array(repeating: 0x2A, count: 64)) }
        loop.turn()
        #expect(loop.driver.loanCount == 4, "those that came back can be lent again")
        loop.rest()
        loop.turn()
    }
}

/// Echoes out of the receive buffer, in pieces.
final class BorrowingEcho: ConnectionHandler {
    let pieceByteCount: Int
    var abortsAfterwards = false
    private(set) var refusalCount = 0

    init(pieceByteCount: Int) { self.pieceByteCount = pieceByteCount }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        unsafe bytes.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
                let end = min(start + pieceByteCount, bytes.count)
                let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                if unsafe !connection.sendBorrowed(piece) {
                    refusalCount += 1
                    unsafe connection.send(Array(piece))
                }
            }
        }
        if abortsAfterwards { connection.abort() }
        return bytes.byteCount
    }
}
