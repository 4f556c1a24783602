import ReactorTesting
import Testing

@testable import Reactor

/// Connections that another one carries: here by the simplest protocol that does it. Each byte from the peer is one for
/// the connection of its upper half; the bytes to the peer have their connection's number in front, and no more of them
/// leave than `windows` allows.
@Suite(.endingAll) struct LoopCarryTests {
    private final class Carrier: CarryingHandler {
        enum Event: Equatable {
            case received([UInt8], Int)
            case drained(Int), blocked(Int), inputEnded(Int), deadline(Int)
            case matter(CarriedMatter, Int)
            case closed(Int, DisconnectReason), carrierClosed
        }

        private(set) var events: [Event] = []
        var carrier: ConnectionSlot?
        var slots: [Int: ConnectionSlot] = [:]
        var windows: [Int: Int] = [:]
        var gatherings = 0
        var onReceived: ([UInt8], Connection) -> Int = { bytes, _ in bytes.count }
        var onDrained: (Connection) -> Void = { _ in }

        func opened(_ connection: Connection) {
            carrier = connection.slot
            for place in 1...3 { slots[place] = connection.carry(at: UInt16(place)) }
        }

        func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
            var copy = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
            guard !connection.isCarried else {
                events.append(.received(copy, connection.place))
                return onReceived(copy, connection)
            }
            while let place = copy.first.map({ Int($0 >> 4) }) {
                let count = copy.prefix { Int($0 >> 4) == place }.count
                if let slot = slots[place] {
                    unsafe copy.withUnsafeMutableBytes {
                        unsafe Connection(slot).deliver(UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
                    }
                }
                copy.removeFirst(count)
            }
            return bytes.byteCount
        }

        func carried(_ connection: Connection, _ matter: CarriedMatter) {
            events.append(.matter(matter, connection.place))
            connection.carrier.gatherAtTurnsEnd()
        }

        func gather(_ carrier: Connection) {
            gatherings += 1
            if carrier.isBlocked { carrier.notifyWhenDrained() }
            for (place, slot) in slots.sorted(by: { $0.key < $1.key }) {
                let count = min(Connection(slot).queuedByteCount, windows[place, default: .max])
                guard count > 0, !carrier.isBlocked else { continue }
                if windows[place] != nil { windows[place]! -= count }
                carrier.send([UInt8(place)])
                carrier.takeOutput(count, of: slot)
            }
        }

        func blocked(_ connection: Connection) {
            if connection.isCarried { events.append(.blocked(connection.place)) }
        }

        func drained(_ connection: Connection) {
            guard connection.isCarried else { return connection.gatherAtTurnsEnd() }
            events.append(.drained(connection.place))
            onDrained(connection)
        }

        func inputEnded(_ connection: Connection) {
            guard connection.isCarried else { return connection.close() }
            events.append(.inputEnded(connection.place))
        }

        func deadlineReached(_ connection: Connection) { events.append(.deadline(connection.place)) }

        func closed(_ connection: Connection, _ reason: DisconnectReason) {
            guard !connection.isCarried else {
                slots[connection.place] = nil
                return events.append(.closed(connection.place, reason))
            }
            events.append(.carrierClosed)
            for slot in slots.values { Connection(slot).end(reason) }
        }

        func takeEvents() -> [Event] {
            defer { events = [] }
            return events
        }

        subscript(place: Int) -> Connection { Connection(slots[place]!) }
    }

    private let handler = Carrier()

    private func start(
        _ change: (inout SimulatedDriver.Options) -> Void = { _ in }
    ) -> (loop: SimulatedLoop, peer: SimulatedPeer) {
        var options = SimulatedDriver.Options()
        change(&options)
        let loop = SimulatedLoop(options) { _ in handler }
        let peer = loop.connect()
        loop.rest()
        return (loop, peer)
    }

    @Test func `bytes go to the connection that they are for`() {
        let (loop, peer) = start()
        peer.send([0x11, 0x12, 0x21, 0x13])
        loop.rest()
        #expect(handler.events == [.received([0x11, 0x12], 1), .received([0x21], 2), .received([0x13], 1)])
        #expect(handler[1].isCarried && handler[1].carrier.slot == handler.carrier && !handler[1].carrier.isCarried)
    }

    @Test(arguments: [true, false])
    func `what a turn queues on all of them leaves in one send`(batches: Bool) {
        let (loop, peer) = start { $0.sendsInBatches = batches }
        for place in 1...3 { handler[place].send([UInt8](repeating: UInt8(place), count: 2)) }
        let sends = loop.loop.statistics.sendSubmissions.value
        loop.rest()
        #expect(peer.receivedBytes == [1, 1, 1, 2, 2, 2, 3, 3, 3])
        #expect(loop.loop.statistics.sendSubmissions.value - sends == 1 && handler.gatherings == 1)
        #expect(!handler.events.contains(.blocked(1)))
    }

    @Test func `what is gathered behind a send of the carrier's own leaves at once, too`() {
        let (loop, peer) = start()
        Connection(handler.carrier!).send([9])
        handler[1].send([7])
        loop.turn(2)
        #expect(loop.driver.sleep == nil, "the loop would sleep in front of what waits")
        loop.rest()
        #expect(peer.receivedBytes == [9, 1, 7])
    }

    @Test func `shared bytes are sent where they lie, also in parts`() {
        let (loop, peer) = start()
        let text = (0..<5_000).map { UInt8(truncatingIfNeeded: $0) }
        let bytes = unsafe loop.loop.share(text.count) { memory in
            unsafe text.withUnsafeBytes { unsafe memory.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        }
        handler.windows = [1: 1_500, 2: 100]
        for place in 1...3 { #expect(handler.slots[place]!.queueShared(bytes, limit: .max) == .queued) }
        loop.rest()
        let first: [[UInt8]] = [[1], Array(text[..<1_500]), [2], Array(text[..<100]), [3], text]
        #expect(peer.takeReceivedBytes() == Array(first.joined()))
        handler.windows = [:]
        handler.carrier.map { Connection($0).gatherAtTurnsEnd() }
        loop.rest()
        let rest: [[UInt8]] = [[1], Array(text[1_500...]), [2], Array(text[100...])]
        #expect(peer.takeReceivedBytes() == Array(rest.joined()))
    }

    @Test func `what stays behind is blocked, and drained in the turn behind its end`() {
        let (loop, peer) = start()
        handler.windows = [1: 3]
        handler[1].send([1, 2, 3, 4])
        handler[1].notifyWhenDrained()
        loop.turn()
        #expect(handler.takeEvents() == [.matter(.output, 1), .blocked(1)])
        #expect(handler[1].isBlocked && handler[1].queuedByteCount == 1)
        loop.rest()
        #expect(peer.receivedBytes == [1, 1, 2, 3] && handler.events.isEmpty)
        handler.windows[1] = 10
        Connection(handler.carrier!).gatherAtTurnsEnd()
        loop.turn()
        #expect(handler.events.isEmpty)
        loop.turn()
        #expect(handler.takeEvents() == [.drained(1)] && !handler[1].isBlocked)
    }

    @Test func `a handler that sends when it has drained goes on`() {
        let (loop, peer) = start()
        var left = 3
        handler.onDrained = { connection in
            left -= 1
            connection.send([UInt8(left)])
            if left > 0 { connection.notifyWhenDrained() }
        }
        handler[2].send([9])
        handler[2].notifyWhenDrained()
        loop.rest()
        #expect(peer.receivedBytes == [2, 9, 2, 2, 2, 1, 2, 0])
    }

    @Test func `urgent bytes go in front of whole pieces, and not inside of what is divided`() {
        let (loop, peer) = start()
        handler.windows = [1: 2]
        handler[1].send([1, 2, 3, 4])
        loop.rest()
        unsafe handler[1].send(count: 1) { unsafe $0.storeBytes(of: 5, as: UInt8.self) }
        unsafe handler[1].sendUrgent(count: 2) { unsafe $0.storeBytes(of: 0x0807, as: UInt16.self) }
        #expect(handler[1].urgentByteCount == 2)
        handler.windows = [1: 3]
        loop.rest()
        handler.windows = [:]
        Connection(handler.carrier!).gatherAtTurnsEnd()
        loop.rest()
        #expect(peer.receivedBytes == [1, 1, 2, 1, 3, 4, 5, 1, 7, 8])
        #expect(handler[1].urgentByteCount == 0)
    }

    @Test func `a carrier whose peer does not read holds all of them up, and they drain behind it`() {
        let (loop, peer) = start()
        peer.window = 10
        handler[1].send([UInt8](repeating: 1, count: 50))
        loop.rest()
        handler[2].send([UInt8](repeating: 2, count: 50))
        handler[2].notifyWhenDrained()
        loop.rest()
        #expect(handler.takeEvents().contains(.blocked(2)) && !handler[1].isBlocked)
        peer.makeRoom(1_000)
        loop.rest()
        #expect(handler.takeEvents() == [.drained(2)])
        #expect(peer.receivedBytes.count == 102)
    }

    @Test func `input is held, paused and handed as that of any connection, and its consumption told`() {
        let (loop, peer) = start()
        handler.onReceived = { bytes, connection in
            connection.pauseReceiving()
            return 1
        }
        peer.send([0x11, 0x12, 0x13])
        loop.rest()
        #expect(handler.takeEvents() == [.received([0x11, 0x12, 0x13], 1)] && handler[1].heldByteCount == 2)
        peer.send([0x14, 0x21])
        loop.rest()
        #expect(handler.takeEvents() == [.received([0x21], 2)] && handler[1].heldByteCount == 3)
        handler[1].deliverEnd()
        handler.onReceived = { bytes, _ in bytes.count }
        loop.rest()
        #expect(handler.takeEvents().isEmpty)
        handler[1].resumeReceiving()
        loop.rest()
        #expect(handler.takeEvents() == [.received([0x12, 0x13, 0x14], 1), .matter(.input, 1), .inputEnded(1)])
    }

    @Test func `one that has had its share of a turn goes on in the next`() {
        let (loop, _) = start()
        var bytes = [UInt8](repeating: 0x10, count: 100_000)
        handler.onReceived = { bytes, _ in bytes.count }
        for _ in 0..<4 { unsafe bytes.withUnsafeMutableBytes { unsafe handler[1].deliver($0) } }
        #expect(handler.takeEvents().count == 3 && handler[1].heldByteCount == 100_000)
        loop.rest()
        #expect(handler.takeEvents().count == 2 && handler[1].heldByteCount == 0)
    }

    @Test func `a close ends behind what is queued, and waits for the peer's end`() {
        let (loop, peer) = start()
        handler[1].send([7])
        handler[1].close()
        loop.rest()
        #expect(peer.receivedBytes == [1, 7])
        #expect(handler.takeEvents() == [.matter(.output, 1), .matter(.finish, 1)])
        handler[1].deliverEnd()
        loop.rest()
        #expect(handler.takeEvents() == [.closed(1, .local)])
        #expect(loop.loop.connectionCount == 3 && !peer.hasSeenEnd)
    }

    @Test func `a close behind the peer's end is the end, and one that the peer does not answer has its time`() {
        let (loop, _) = start()
        handler[1].deliverEnd()
        handler[1].close()
        handler[2].close()
        loop.rest()
        #expect(
            handler.takeEvents()
                == [.inputEnded(1), .matter(.finish, 1), .matter(.finish, 2), .closed(1, .peer)])
        loop.advance(milliseconds: 1_900)
        #expect(handler.events.isEmpty)
        loop.advance(milliseconds: 300)
        #expect(handler.takeEvents() == [.closed(2, .local)])
    }

    @Test func `a close waits for a window as long as the peer opens it a little`() {
        let (loop, peer) = start()
        handler.windows = [1: 0]
        handler[1].send([UInt8](repeating: 1, count: 5_000))
        handler[1].close()
        for _ in 0..<4 {
            handler.windows = [1: 1_200]
            Connection(handler.carrier!).gatherAtTurnsEnd()
            loop.advance(milliseconds: 1_000)
        }
        #expect(handler.slots[1] != nil && peer.receivedBytes.count == 4_804)
        loop.advance(milliseconds: 2_300)
        #expect(handler.slots[1] == nil && handler.events.last == .closed(1, .local))
    }

    @Test func `a window that stays closed for the write-stall time is a peer that takes nothing`() {
        let (loop, _) = start()
        handler[1].setWriteStallTimeout(5_000)
        handler.windows = [1: 0]
        handler[1].send([1])
        loop.advance(milliseconds: 4_000)
        #expect(handler.slots[1] != nil)
        loop.advance(milliseconds: 3_000)
        #expect(handler.events.last == .closed(1, .stalled) && loop.loop.connectionCount == 3)
    }

    @Test func `each has a deadline, and its own end`() {
        let (loop, peer) = start()
        handler[2].setDeadline(loop.loop.now + 1_000)
        loop.advance(milliseconds: 1_200)
        #expect(handler.takeEvents() == [.deadline(2)])
        handler[1].abort()
        handler[3].reset()
        loop.rest()
        #expect(handler.takeEvents() == [.closed(1, .local), .closed(3, .local)])
        #expect(!peer.hasSeenEnd && !peer.hasSeenReset && loop.loop.connectionCount == 2)
    }

    @Test(arguments: [true, false])
    func `the carrier's end is that of all, in whatever they are doing`(isCut: Bool) {
        let (loop, peer) = start()
        handler.windows = [1: 0]
        handler[1].send([1, 2, 3])
        handler[2].close()
        loop.rest()
        if isCut { peer.reset() } else { peer.end() }
        loop.rest()
        let events = handler.takeEvents()
        #expect(Set(events.compactMap { if case .closed(let place, _) = $0 { place } else { nil } }) == [1, 2, 3])
        #expect(events.firstIndex(of: .carrierClosed)! < events.lastIndex { $0 != .carrierClosed }!)
        #expect(loop.loop.connectionCount == 0 && peer.isClosed)
        #expect(loop.driver.openCount == 0)
    }

    @Test func `places in the slab are used again, and a carrier's only behind what it carries`() {
        let (loop, peer) = start()
        peer.reset()
        loop.rest()
        #expect(loop.loop.connectionCount == 0)
        handler.slots = [:]
        let next = loop.connect()
        loop.rest()
        next.send([0x31])
        loop.rest()
        #expect(handler.events.last == .received([0x31], 3) && loop.loop.connectionCount == 4)
    }

    @Test func `who asks a carried connection for its peer is told of its carrier's`() {
        let (loop, peer) = start()
        peer.address = SocketAddress(ipAddress: "192.0.2.1", port: 7)
        peer.untakenByteCount = 99
        #expect(handler[1].remoteAddress == peer.address && handler[1].untakenByteCount == 99)
        #expect(!handler[1].isSecure && handler[1].tls == nil && !handler[1].peerHasEnded)
        loop.rest()
    }
}
