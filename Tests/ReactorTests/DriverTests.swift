import CSystemCalls
import Glibc
import IOUring
import ReactorTesting
import SystemCalls
import Testing

@testable import Reactor

/// What every driver owes its loop, asked of those that talk to the kernel.
@Suite struct DriverTests {
    private static var drivers: [DriverKind] { KernelFeature.ring.isAllowed ? [.uring, .epoll] : [.epoll] }
    private static let slot: UInt32 = 3

    private func make(_ kind: DriverKind) throws -> any Driver {
        switch kind {
        case .uring: try UringDriver(capabilities: try UringCapabilities.probe())
        case .epoll: try EpollDriver()
        case .simulated: SimulatedDriver()
        }
    }

    /// What comes until `isEnough`; each wait is there for hanging only.
    private func completions(of driver: any Driver, until isEnough: (DriverCompletion) -> Bool) -> [DriverCompletion] {
        var all: [DriverCompletion] = []
        for _ in 0..<60 {
            driver.wait(milliseconds: 1_000)
            while let completion = driver.nextCompletion() { all.append(completion) }
            if all.contains(where: isEnough) { break }
        }
        return all
    }

    @Test func `a piece lies as the system's vectors have it`() {
        #expect(unsafe MemoryLayout<SendPiece>.stride == MemoryLayout<iovec>.stride)
        #expect(unsafe MemoryLayout<SendPiece>.offset(of: \.start) == MemoryLayout<iovec>.offset(of: \.iov_base))
        #expect(unsafe MemoryLayout<SendPiece>.offset(of: \.count) == MemoryLayout<iovec>.offset(of: \.iov_len))
    }

    /// The ring has 4,096 places, and headers for as many sends of several pieces.
    @Test(arguments: drivers) func `pieces arrive in order, also of more sends at once than a ring has places`(
        kind: DriverKind
    ) throws {
        let driver = try make(kind)
        let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)
        var senders: [Int32] = []
        var receivers: [(socket: Int32, expected: [UInt8])] = []
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: letters.count)
        unsafe memory.initialize(from: letters, count: letters.count)
        let vector = UnsafeMutablePointer<SendPiece>.allocate(capacity: letters.count)
        for index in letters.indices {
            unsafe (vector + index).initialize(to: SendPiece(start: memory + index, count: 1))
        }
        defer {
            unsafe memory.deallocate()
            unsafe vector.deallocate()
        }
        for number in 0..<50 {
            var ends: [Int32] = [0, 0]
            #expect(unsafe ringcast_stream_pair(&ends) == 0)
            let first = number % (letters.count - 3)
            receivers.append((ends[1], Array(repeating: letters[first..<first + 3], count: 100).flatMap(\.self)))
            for _ in 0..<100 {
                // Safe: the vector outlives the wait below.
                unsafe driver.sendBatched(
                    SendPieces(start: vector + first, count: 3), on: ends[0],
                    token: Token(.batchedSend, generation: 1, slot: UInt32(number)))
            }
            senders.append(ends[0])
        }
        driver.wait(milliseconds: 0)
        #expect(driver.unsubmittedCount == 0 && driver.nextCompletion() == nil)
        for (socket, expected) in receivers {
            var bytes = [UInt8](repeating: 0, count: 1_000)
            let count = uninterrupted { unsafe recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT)) }
            #expect(Array(bytes.prefix(max(0, count))) == expected)
            close(socket)
        }
        senders.forEach { close($0) }
    }

    @Test(arguments: drivers, [ReceiveBufferSize.small, .large])
    func `what arrives comes in a buffer of the size that was asked for`(
        kind: DriverKind, size: ReceiveBufferSize
    ) throws {
        let driver = try make(kind)
        let pair = try SocketPair()
        driver.opened(pair.first, slot: Self.slot)
        let token = Token(.receive, generation: 1, slot: Self.slot)
        driver.receive(on: pair.first, into: size, token: token)
        driver.wait(milliseconds: 0)
        #expect(driver.bufferCount(size) == size.bufferCount)
        for round in 0..<UInt8(200) {
            let written = pair.write([round])
            #expect(written == 1)
            let arrival = try #require(completions(of: driver) { $0.token == token }.first { $0.token == token })
            let buffer = try #require(arrival.buffer)
            #expect(buffer.size == size && arrival.result == 1 && arrival.hasMore)
            #expect(unsafe driver.memory(of: buffer).count == size.byteCount && driver.memory(of: buffer)[0] == round)
            driver.giveBack(buffer)
        }
    }

    @Test(arguments: drivers, drivers) func `a loop's driver ends the wait of any other`(
        kind: DriverKind, other: DriverKind
    ) throws {
        let (driver, sleeper) = (try make(kind), try make(other))
        let token = Token(.notify, slot: 1)
        driver.notify(sleeper.address, token: token)
        driver.wait(milliseconds: 0)
        while let completion = driver.nextCompletion() { #expect(completion.token != token, "it could be reached") }
        let isWakeUp = { (completion: DriverCompletion) in
            [.wakeUp, .notification].contains(completion.token.operation)
        }
        #expect(completions(of: sleeper, until: isWakeUp).contains(where: isWakeUp))
    }
}
