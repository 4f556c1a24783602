import Glibc
import ReactorTesting
import Testing

@testable import Reactor

/// Random peers and a random handler against a model of what has to come out: every byte exactly once and in order, in
/// both directions, whatever is paused, borrowed, cut short, left over, closed or reset meanwhile.
@Suite struct LoopModelTests {
    @Test(arguments: 0..<60)
    func `every byte arrives exactly once and in order`(seed: UInt64) {
        let model = LoopModel(seed: seed)
        for _ in 0..<300 { model.step() }
        model.settle()
    }
}

/// One connection: what both sides have said so far, and how it may end.
final class ModelConnection {
    let peer: SimulatedPeer
    /// Queued by the handler.
    var output: [UInt8] = []
    /// Sent by the peer.
    var input: [UInt8] = []
    /// Of `input`, by the handler.
    var consumedCount = 0
    /// Bytes on their way may be lost from here on.
    var isCut = false
    /// The handler wants no more.
    var isClosed = false
    var peerHasEnded = false
    var slot: ConnectionSlot?
    /// Of `output`, by the peer.
    var receivedCount = 0

    init(_ peer: SimulatedPeer) { self.peer = peer }
}

final class LoopModel: ConnectionHandler {
    private var random: SeededGenerator
    private var connections: [ModelConnection] = []
    private var byDescriptor: [Int32: ModelConnection] = [:]
    private let noise: [UInt8]
    private var isSettling = false
    private var simulation: SimulatedLoop!

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        noise = (0..<65_536).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        self.random = random
        var options = SimulatedDriver.Options()
        options.seed = seed
        options.sendsInBatches = seed % 2 == 0
        options.acceptsRepeatedly = seed % 3 != 0
        options.smallBuffers = (16, 256)
        options.largeBuffers = (4, 4096)
        if seed % 5 == 0 { options.submissionLimit = 4 }
        simulation = SimulatedLoop(options) { _ in self }
    }

    // MARK: the peers' side

    func step() {
        if connections.count < 30, random.oneIn(5) {
            let peer = simulation.connect()
            if random.oneIn(2) { peer.window = .random(in: 0...2_000, using: &random) }
            connections.append(ModelConnection(peer))
        }
        for connection in connections where !connection.peer.isClosed && !connection.peerHasEnded { act(connection) }
        if random.oneIn(10) { simulation.clock.advance(10) }
        simulation.turn()
        check()
    }

    private func act(_ connection: ModelConnection) {
        switch Int.random(in: 0..<100, using: &random) {
        case ..<30:
            let bytes = randomBytes(upTo: 3_000)
            connection.peer.send(bytes)
            connection.input += bytes
        case ..<60: connection.peer.makeRoom(.random(in: 0...3_000, using: &random))
        case 98:
            connection.peer.end()
            connection.peerHasEnded = true
        case 99 where random.oneIn(3):
            connection.peer.reset()
            connection.peerHasEnded = true
            connection.isCut = true
        default: break
        }
    }

    /// Lets everything out that is still on its way, and looks whether it was everything.
    func settle() {
        isSettling = true
        simulation.driver.options.submissionLimit = .max
        for connection in connections { connection.peer.makeRoom(.max) }
        simulation.turn(2)
        for connection in connections {
            guard let slot = connection.slot else { continue }
            Connection(slot).resumeReceiving()
            Connection(slot).continueNextTurn()
        }
        simulation.rest()
        simulation.turn()
        check()
        for connection in connections where !connection.isCut {
            #expect(connection.receivedCount == connection.output.count)
            if !connection.isClosed { #expect(connection.consumedCount == connection.input.count) }
        }
        for connection in connections where !connection.peerHasEnded && !connection.peer.isClosed {
            connection.peer.end()
            connection.peerHasEnded = true
        }
        simulation.advance(milliseconds: 5_000)
        #expect(connections.allSatisfy { $0.peer.isClosed && $0.slot == nil })
        #expect(simulation.driver.loanCount == 0 && simulation.driver.openCount == 0)
        simulation = nil  // each of the two keeps the other alive
    }

    private func check() {
        for connection in connections {
            let bytes = connection.peer.takeReceivedBytes()
            let end = connection.receivedCount + bytes.count
            let isExpected =
                end <= connection.output.count && areEqual(bytes, connection.output, at: connection.receivedCount)
            #expect(isExpected, "\(bytes.count) bytes at \(connection.receivedCount)")
            connection.receivedCount = end
        }
    }

    private func randomBytes(upTo limit: Int) -> [UInt8] {
        let count = Int.random(in: 1...limit, using: &random)
        return Array(noise[Int.random(in: 0..<noise.count - count, using: &random)...].prefix(count))
    }

    // MARK: the handler's side

    func opened(_ connection: Connection) {
        let descriptor = connection.slot.state.descriptor
        // The newest: numbers of descriptors are used again.
        let model = connections.last { $0.peer.descriptor == descriptor }!
        byDescriptor[descriptor] = model
        model.slot = connection.slot
        connection.setWriteStallTimeout(0)
        if random.oneIn(3) { send(on: connection, model) }
    }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        let model = model(connection)
        #expect(!model.isClosed, "nothing is delivered after a close")
        let count = bytes.byteCount
        let copy = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        let isExpected =
            model.consumedCount + count <= model.input.count && areEqual(copy, model.input, at: model.consumedCount)
        #expect(isExpected, "what was left comes again in front, and nothing is skipped")
        let consumed = isSettling || random.oneIn(2) ? count : Int.random(in: 0...count, using: &random)
        model.consumedCount += consumed
        if random.oneIn(2) { echo(bytes, consumed, on: connection, model) }
        if consumed < count, random.oneIn(2) { connection.continueNextTurn() }
        act(on: connection, model)
        return consumed
    }

    private func echo(
        _ bytes: borrowing MutableRawSpan, _ count: Int, on connection: Connection, _ model: ModelConnection
    ) {
        unsafe bytes.withUnsafeBytes { bytes in
            var start = 0
            while start < count {
                let end = min(count, start + Int.random(in: 1...200, using: &random))
                let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                if unsafe !connection.sendBorrowed(piece) { unsafe connection.send(Array(piece)) }
                unsafe model.output += Array(piece)
                start = end
            }
        }
    }

    private func act(on connection: Connection, _ model: ModelConnection) {
        guard !isSettling else { return }
        switch Int.random(in: 0..<100, using: &random) {
        case ..<10: connection.preferLargeBuffers(random.oneIn(2))
        case ..<20: connection.pauseReceiving()
        case ..<40: send(on: connection, model)
        case ..<60: if connection.isBlocked { connection.notifyWhenDrained() }
        case 98: close(connection, model)
        case 99: abort(connection, model)
        default: break
        }
    }

    private func send(on connection: Connection, _ model: ModelConnection) {
        let bytes = randomBytes(upTo: 5_000)
        connection.send(bytes)
        model.output += bytes
    }

    private func close(_ connection: Connection, _ model: ModelConnection) {
        connection.close()
        model.isClosed = true
    }

    private func abort(_ connection: Connection, _ model: ModelConnection) {
        connection.abort()
        (model.isClosed, model.isCut) = (true, true)
    }

    func turnEnds() {
        guard !isSettling else { return }
        for model in connections where !model.isClosed && random.oneIn(4) {
            guard let slot = model.slot, !Connection(slot).isClosing else { continue }
            if random.oneIn(2) { Connection(slot).resumeReceiving() }
            act(on: Connection(slot), model)
        }
    }

    func drained(_ connection: Connection) {
        #expect(connection.queuedByteCount == 0)
        act(on: connection, model(connection))
    }

    func inputEnded(_ connection: Connection) {
        let model = model(connection)
        #expect(model.peerHasEnded)
        close(connection, model)
    }

    func closed(_ connection: Connection, _ reason: DisconnectReason) {
        let model = model(connection)
        model.slot = nil
        byDescriptor[connection.slot.state.descriptor] = nil
    }

    private func model(_ connection: Connection) -> ModelConnection { byDescriptor[connection.slot.state.descriptor]! }
}

/// `memcmp`: comparing element by element takes minutes in debug builds.
private func areEqual(_ bytes: [UInt8], _ all: [UInt8], at offset: Int) -> Bool {
    unsafe bytes.withUnsafeBytes { bytes in
        unsafe all.withUnsafeBytes { all in
            unsafe bytes.count == 0 || memcmp(bytes.baseAddress!, all.baseAddress! + offset, bytes.count) == 0
        }
    }
}
