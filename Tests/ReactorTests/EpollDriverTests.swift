import CSystemCalls
import Glibc
import IOUring
import Synchronization
import SystemCalls
import Testing

@testable import Reactor

/// What the driver decides by itself; all else is the loop's, and tested over it.
@Suite final class EpollDriverTests {
    private let driver: EpollDriver
    private let pair: SocketPair
    private let slot: UInt32 = 5
    private let token = Token(.receive, generation: 1, slot: 5)

    init() throws {
        driver = try EpollDriver()
        pair = try SocketPair()
    }

    /// What one wait brings, as text: bytes, or the result of an operation that is over.
    private func received() -> [String] {
        driver.wait(milliseconds: 0)
        var received: [String] = []
        while let completion = driver.nextCompletion() {
            if let buffer = completion.buffer {
                let memory = unsafe driver.memory(of: buffer)
                unsafe received.append(String(decoding: memory.prefix(Int(completion.result)), as: UTF8.self))
                driver.giveBack(buffer)
            } else {
                received.append("\(completion.token.operation) \(completion.result)")
            }
        }
        return received
    }

    private func arm() {
        driver.opened(pair.first, slot: slot)
        driver.receive(on: pair.first, into: .small, token: token)
    }

    @Test func `a receive stays armed, and an end behind bytes of the same segment is seen`() {
        arm()
        #expect(received() == [])
        #expect(pair.write(Array("a".utf8)) == 1)
        #expect(received() == ["a"])
        #expect(pair.write(Array("b".utf8)) == 1)
        shutdown(pair.second, Int32(SHUT_WR))
        #expect(received() == ["b", "receive 0"])
        #expect(received() == [])
    }

    @Test func `a receive that finds no buffer is over, and what came is received once it is armed again`() throws {
        final class Held {
            let pair: SocketPair
            init() throws { pair = try SocketPair() }
        }
        var held: [Held] = []
        for number in 0..<driver.bufferCount(.small) + 1 {
            let peer = try Held()
            let slot = UInt32(number)
            driver.opened(peer.pair.first, slot: slot)
            driver.receive(on: peer.pair.first, into: .small, token: Token(.receive, generation: 1, slot: slot))
            #expect(peer.pair.write(Array("x".utf8)) == 1)
            held.append(peer)
        }
        driver.wait(milliseconds: 0)
        var (buffers, starved): ([ReceiveBuffer], [Token]) = ([], [])
        while let completion = driver.nextCompletion() {
            if let buffer = completion.buffer {
                buffers.append(buffer)
            } else if completion.result == -ENOBUFS {
                starved.append(completion.token)
            }
        }
        #expect(buffers.count == driver.bufferCount(.small))
        #expect(starved.count == 1)
        for buffer in buffers { driver.giveBack(buffer) }
        #expect(received() == [])
        let slot = Int(starved[0].slot)
        driver.receive(on: held[slot].pair.first, into: .small, token: starved[0])
        #expect(received() == ["x"])
    }

    @Test func `what came while nothing was armed is received once a receive is, and needs no new event`() {
        driver.opened(pair.first, slot: slot)
        #expect(pair.write(Array("early".utf8)) == 5)
        #expect(received() == [])
        driver.receive(on: pair.first, into: .small, token: token)
        #expect(received() == ["early"])
        driver.cancel(token, answer: Token(.unanswered))
        #expect(received() == ["receive -125"])
        #expect(pair.write(Array("late".utf8)) == 4)
        #expect(received() == [])
        driver.receive(on: pair.first, into: .small, token: token)
        #expect(received() == ["late"])
    }

    @Test func `a flood has its share of a turn, and goes on in the next one without sleeping`() {
        arm()
        let flood = [UInt8](repeating: 7, count: 4096 * 10)
        #expect(pair.write(flood) == flood.count)
        var turns: [Int] = []
        while true {
            let count = received().reduce(0) { $0 + $1.utf8.count }
            if count == 0 { break }
            turns.append(count)
        }
        #expect(turns == [4096 * 4, 4096 * 4, 4096 * 2])
    }

    @Test func `a canceled receive of an earlier life stays what it is`() {
        arm()
        driver.cancel(Token(.receive, generation: 0, slot: slot), answer: Token(.unanswered))
        #expect(received() == [])
        #expect(pair.write(Array("a".utf8)) == 1)
        #expect(received() == ["a"])
    }

    @Test func `a send to a full socket waits for room, and takes its own copy of the vector along`() {
        arm()
        let filler = [UInt8](repeating: 7, count: 8 << 20)
        let taken = send(filler, .batchedSend)
        #expect(taken != nil && taken! > 0 && taken! < filler.count)
        #expect(send(filler, .send) == nil, "the socket is full")
        #expect(pair.read().count == taken)
        driver.wait(milliseconds: 0)
        let completion = driver.nextCompletion()
        #expect(completion?.token.operation == .send && completion?.result ?? 0 > 0)
        #expect(pair.read().count == Int(completion?.result ?? 0))
    }

    /// What was answered at once; nil: nothing. The vector is gone by the time this returns, the bytes are not.
    private func send(_ bytes: [UInt8], _ operation: Token.Operation) -> Int? {
        unsafe bytes.withUnsafeBytes { bytes in
            var piece = unsafe SendPiece(
                start: UnsafeMutableRawPointer(mutating: bytes.baseAddress!), count: bytes.count)
            return unsafe withUnsafeMutablePointer(to: &piece) { piece in
                let pieces = unsafe SendPieces(start: piece, count: 1)
                let token = Token(operation, generation: 1, slot: slot)
                // Safe: the driver is done with them, or has copied the vector, before the pointers end; the test keeps
                // the bytes.
                if operation == .batchedSend {
                    unsafe driver.sendBatched(pieces, on: pair.first, token: token)
                } else {
                    unsafe driver.send(pieces, on: pair.first, token: token)
                }
                return driver.nextCompletion().map { Int($0.result) }
            }
        }
    }

    @Test func `receive and send on a connection are ended each by its token`() {
        arm()
        let filler = [UInt8](repeating: 7, count: 8 << 20)
        _ = send(filler, .batchedSend)
        #expect(send(filler, .send) == nil)
        driver.cancel(token, answer: Token(.cancel, generation: 1, slot: slot))
        driver.cancel(Token(.send, generation: 1, slot: slot), answer: Token(.cancel, generation: 1, slot: slot))
        #expect(received() == ["receive -125", "send -125"])
    }

    @Test func `ringing ends a wait, however often it was rung`() {
        driver.address.wakeUp.ring()
        driver.address.wakeUp.ring()
        #expect(received() == ["wakeUp 8"])
        #expect(received() == [])
        driver.address.wakeUp.ring()
        #expect(received() == ["wakeUp 8"])
    }

    @Test func `without memory for a registration a receive fails, and does not wait for ever`() {
        driver.opened(.max, slot: slot)
        driver.receive(on: .max, into: .small, token: token)
        #expect(received() == ["receive \(-ENOMEM)"])
    }
}

@Suite struct SelectedDriverTests {
    private static let refused = ReactorError("io_uring is blocked here")

    @Test func `automatic is epoll where io_uring is refused, and says why`() throws {
        let driver = try SelectedDriver(.automatic, probe: { () throws(ReactorError) in throw Self.refused })
        #expect(driver.kind == .epoll && !driver.gathersCompletions)
        #expect(driver.announcement == "the driver is epoll, since io_uring is blocked here")
    }

    @Test func `io_uring that is asked for is never replaced`() {
        #expect(throws: Self.refused) {
            try SelectedDriver(.uring, probe: { () throws(ReactorError) in throw Self.refused })
        }
    }

    @Test func `epoll that is asked for probes nothing, and nothing has to be said`() throws {
        let driver = try SelectedDriver(
            .epoll,
            probe: { () throws(ReactorError) in
                Issue.record("io_uring was probed")
                throw Self.refused
            })
        #expect(driver.kind == .epoll && driver.announcement == nil)
    }

    /// A process may have room for the probe's rings, and none for those of all its loops.
    private static func chosen(_ choice: DriverChoice) throws(ReactorError) -> SelectedDriver {
        try SelectedDriver(
            choice,
            probe: { () throws(ReactorError) in
                UringCapabilities(sendsInBatches: true, notifiesRings: true, gathersCompletions: true)
            })
    }

    @Test func `where loops are refused the rings that the probe got, all of them have epoll`() throws {
        var tried: [DriverKind] = []
        let (driver, made) = try Self.chosen(.automatic).used { driver throws(ReactorError) in
            tried.append(driver.kind)
            guard driver.kind == .epoll else { throw Self.refused }
            return "loops"
        }
        #expect(tried == [.uring, .epoll] && made == "loops" && driver.kind == .epoll)
        #expect(driver.announcement == "the driver is epoll, since io_uring is blocked here")
        #expect(!driver.gathersCompletions)
    }

    @Test(arguments: [DriverChoice.uring, .epoll])
    func `what was asked for is tried once`(_ choice: DriverChoice) throws {
        var tries = 0
        #expect(throws: Self.refused) {
            try Self.chosen(choice).used { _ throws(ReactorError) in
                tries += 1
                throw Self.refused
            }
        }
        #expect(tries == 1)
    }

    @Test func `a group says what was chosen once it is there, and nothing if it cannot be`() throws {
        let lines = Lines()
        let group = try LoopGroup(
            configuration: .init(
                loops: .count(2), pinsThreads: false, listeners: [.init(hostname: "127.0.0.1", port: 0)],
                log: lines.note),
            makeHandler: { _ in Echo() })
        group.stop()
        group.wait()
        #expect(lines.all == ["notice: the driver is \(group.driver)"] || !KernelFeature.ring.isAllowed)
        let silent = Lines()
        #expect(throws: ReactorError.self) {
            _ = try LoopGroup(
                configuration: .init(listeners: [.init(hostname: "192.0.2.1", port: 0)], log: silent.note),
                makeHandler: { _ in Echo() })
        }
        #expect(silent.all == [])
    }

    /// What was logged.
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        @Sendable func note(_ level: LogLevel, _ line: String) { lines.withLock { $0.append("\(level): \(line)") } }
    }
}
