import ReactorTesting
import Testing

@testable import Reactor

/// TLS over simulated connections: the loop is the server, OpenSSL itself the client.
@Suite(.endingAll) struct TLSTests {
    private let handler = RecordingHandler()
    private let authority = TestAuthority()

    private func loop(batches: Bool = true, log: @escaping LogSink = { _, _ in }) throws -> SimulatedLoop {
        var options = SimulatedDriver.Options()
        options.sendsInBatches = batches
        let server = try TLSServer(TLSConfiguration(certificates: [authority.issue("localhost")]))
        return SimulatedLoop(options, tls: server, log: log) { _ in handler }
    }

    private func secured(batches: Bool = true) throws -> TLSWire {
        let wire = try TLSWire(loop(batches: batches))
        try wire.handshake()
        return wire
    }

    @Test(arguments: [true, false])
    func `a connection is opened once its handshake is done, and speaks plainly to the handler`(isTLS12: Bool) throws {
        handler.onReceived = { bytes, connection in
            connection.send(Array(bytes.reversed()))
            return bytes.count
        }
        var options = TLSPeer.Options()
        options.isTLS12 = isTLS12
        let wire = try TLSWire(loop(), options)
        #expect(handler.events.isEmpty)
        try wire.handshake()
        #expect(handler.events == [.opened])
        #expect(wire.tls.version == (isTLS12 ? "TLSv1.2" : "TLSv1.3"))
        wire.tls.send([0x61, 0x62])
        try wire.exchange()
        #expect(wire.tls.takeReceived() == [0x62, 0x61])
        #expect(handler.events == [.opened, .received([0x61, 0x62])])
    }

    @Test(arguments: [true, false])
    func `records of which the socket takes only a part go on where they stopped`(batches: Bool) throws {
        let wire = try secured(batches: batches)
        let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
        wire.socket.window = 10
        handler.withEach { $0.send(bytes) }
        try wire.exchange()
        var parts = 0
        while wire.tls.received.count < bytes.count, parts < 10_000 {
            wire.socket.makeRoom([1, 7, 5_000, 33_333][parts % 4])
            parts += 1
            wire.loop.rest()
            // What is queued between two parts goes behind them.
            try wire.exchange()
        }
        #expect(parts > 50)
        #expect(wire.tls.received == bytes)
    }

    @Test func `what a turn queues in many pieces leaves as one record in one operation`() throws {
        let wire = try secured()
        let before = wire.loop.driver.counts.sends
        handler.withEach { connection in
            for number: UInt8 in 0..<100 { connection.send([number]) }
        }
        wire.loop.rest()
        #expect(wire.loop.driver.counts.sends == before + 1)
        #expect(wire.socket.receivedBytes.count < 100 + 40)
        try wire.exchange()
        #expect(wire.tls.received == Array(0..<100))
    }

    @Test(arguments: [512, 1_024, 2_048, 4_096], [true, false])
    func `a client that asks for small records gets all of it in them`(count: Int, isTLS12: Bool) throws {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        handler.onReceived = { received, connection in
            connection.send(bytes)
            return received.count
        }
        var options = TLSPeer.Options()
        (options.maximumFragment, options.isTLS12) = (count, isTLS12)
        let configuration = TLSConfiguration(certificates: [TestAuthority().issue("localhost")])
        let loop = SimulatedLoop(tls: try TLSServer(configuration)) { _ in handler }
        let wire = TLSWire(loop, options)
        try wire.handshakeAndExchange()
        wire.tls.send([1])
        try wire.exchange()
        #expect(wire.tls.received == bytes && handler.closedCount == 0)
    }

    @Test func `no record holds more than 16 KiB`() throws {
        let wire = try secured()
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        handler.withEach { $0.send(bytes) }
        wire.loop.rest()
        var rest = wire.socket.receivedBytes[...]
        var records = 0
        while rest.count >= 5 {
            let length = Int(rest[rest.startIndex + 3]) << 8 | Int(rest[rest.startIndex + 4])
            #expect(length <= 16_384)
            rest = rest.dropFirst(5 + length)
            records += 1
        }
        #expect(rest.isEmpty && records == 19)
        try wire.exchange()
        #expect(wire.tls.received == bytes)
    }

    @Test func `bytes that many connections share are encrypted for each`() throws {
        let loop = try loop()
        let wires = try (0..<3).map { _ in
            let wire = TLSWire(loop)
            try wire.handshake()
            return wire
        }
        for part: UInt8 in 0..<3 {
            let shared = unsafe loop.loop.share(1000) { memory in
                unsafe memory.initializeMemory(as: UInt8.self, repeating: part, count: 1000)
            }
            handler.withEach { connection in
                let result = connection.slot.queueShared(shared, limit: 1 << 20)
                #expect(result == .queued)
            }
        }
        loop.rest()
        #expect(Set(wires.map(\.socket.receivedBytes)).count == 3)
        let expected: [UInt8] =
            Array(repeating: 0, count: 1000) + Array(repeating: 1, count: 1000)
            + Array(repeating: 2, count: 1000)
        for wire in wires {
            try wire.exchange()
            #expect(wire.tls.received == expected)
        }
    }

    @Test func `queued bytes are counted, encrypted or not, until the kernel has taken them`() throws {
        let wire = try secured()
        wire.socket.window = 0
        handler.withEach { $0.send(Array(repeating: 1, count: 1000)) }
        wire.loop.rest()
        handler.withEach { connection in
            connection.send(Array(repeating: 2, count: 1000))
            connection.notifyWhenDrained()
            let (count, isBlocked) = (connection.queuedByteCount, connection.isBlocked)
            #expect(isBlocked && (2000...2100).contains(count))
        }
        wire.socket.makeRoom(.max)
        try wire.exchange()
        handler.withEach { connection in
            let count = connection.queuedByteCount
            #expect(count == 0)
        }
        #expect(handler.events == [.opened, .drained])
        #expect(wire.tls.received.count == 2000)
    }

    // MARK: ends

    @Test func `what was sent before a close arrives, then the goodbye, then the FIN`() throws {
        let wire = try secured()
        handler.withEach { connection in
            connection.send("bye")
            connection.close()
        }
        try wire.exchange()
        #expect(wire.tls.received == Array("bye".utf8))
        #expect(wire.tls.hasSeenGoodbye && wire.socket.hasSeenEnd)
        wire.socket.end()
        wire.loop.rest()
        #expect(wire.socket.isClosed && !wire.socket.hasSeenReset)
        #expect(handler.closedCount == 1)
    }

    @Test func `a close without anything queued says goodbye too`() throws {
        let wire = try secured()
        handler.withEach { $0.close() }
        try wire.exchange()
        #expect(wire.tls.hasSeenGoodbye && wire.socket.hasSeenEnd)
    }

    @Test(arguments: [true, false])
    func `a FIN with a goodbye and one without are the end of the input`(withGoodbye: Bool) throws {
        let wire = try secured()
        wire.tls.send([1, 2, 3])
        if withGoodbye { wire.tls.sayGoodbye() }
        wire.socket.send(wire.tls.takeOutput())
        wire.socket.end()
        wire.loop.rest()
        #expect(handler.events == [.opened, .received([1, 2, 3]), .inputEnded, .closed(.peer)])
        #expect(wire.socket.isClosed && !wire.socket.hasSeenReset)
    }

    @Test func `a record that was tampered with ends the connection`() throws {
        let wire = try secured()
        wire.tls.send([1, 2, 3])
        var bytes = wire.tls.takeOutput()
        bytes[bytes.count - 1] ^= 1
        wire.socket.send(bytes)
        wire.loop.rest()
        #expect(wire.socket.hasSeenEnd)
        wire.socket.end()
        wire.loop.rest()
        #expect(handler.events.first == .opened && handler.closedCount == 1)
        #expect(!handler.events.contains(.received([1, 2, 3])))
    }

    @Test func `records that come together are read together, and none is left, wherever they are cut`() throws {
        let wire = try secured()
        var (cut, sent): (Int, [UInt8]) = (0, [])
        var bytes: [UInt8] = []
        repeat {
            let numbers = (0..<3).map { UInt8($0 + 3 * cut) }
            sent += numbers
            for number in numbers { wire.tls.send([number]) }
            bytes = wire.tls.takeOutput()
            for piece in [bytes[..<cut], bytes[cut...]] where !piece.isEmpty {
                wire.socket.send(Array(piece))
                wire.loop.rest()
            }
            if cut == 0 { #expect(handler.events == [.opened, .received(numbers)]) }
            cut += 1
        } while cut < bytes.count
        #expect(cut > 60, "three records")
        let received = handler.events.flatMap { event -> [UInt8] in
            if case .received(let bytes) = event { bytes } else { [] }
        }
        #expect(received == sent)
    }

    @Test func `a paused connection keeps what was decrypted`() throws {
        let wire = try secured()
        handler.withEach { $0.pauseReceiving() }
        let bytes = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 11) }
        for half in [bytes[..<200_000], bytes[200_000...]] {
            wire.tls.send(Array(half))
            wire.socket.send(wire.tls.takeOutput())
            wire.loop.rest()
        }
        #expect(handler.events == [.opened])
        #expect(wire.socket.unreadByteCount > 100_000, "the peer feels it")
        handler.withEach { $0.resumeReceiving() }
        wire.loop.rest()
        let received = handler.events.flatMap { event -> [UInt8] in
            if case .received(let bytes) = event { bytes } else { [] }
        }
        #expect(received == bytes)
    }

    @Test func `a loop that is stopped does not wait for handshakes`() throws {
        let loop = try loop()
        let peers = loop.connect(3)
        loop.rest()
        loop.stop()
        #expect(peers.allSatisfy(\.isClosed) && handler.events.isEmpty)
    }
}
