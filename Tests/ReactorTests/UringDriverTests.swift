import CSystemCalls
import Glibc
import IOUring
import SystemCalls
import Testing

@testable import Reactor

/// What the driver decides by itself; all else is the loop's, and tested over it.
@Suite(.enabled(if: KernelFeature.ring.isAllowed)) struct UringDriverTests {
    private let driver: UringDriver
    private let slot: UInt32 = 5

    init() throws { driver = try UringDriver(capabilities: try UringCapabilities.probe()) }

    /// The results of this operation that are there. Buffers stay taken.
    private func results(of operation: Token.Operation) -> [Int32] {
        driver.wait(milliseconds: 0)
        var list: [Int32] = []
        while let completion = driver.nextCompletion() {
            if completion.token.operation == operation { list.append(completion.result) }
        }
        return list
    }

    @Test(arguments: [ReceiveBufferSize.small, .large])
    func `the kernel gets twice as many buffers when a turn needs more, up to all there are`(
        _ size: ReceiveBufferSize
    ) throws {
        let token = Token(.receive, generation: 1, slot: slot)
        let pair = try SocketPair()
        var offered: Int { size == .small ? driver.state.offered.small : driver.state.offered.large }
        var counts = [offered]
        var taken = 0
        driver.receive(on: pair.first, into: size, token: token)
        while taken < driver.bufferCount(size) {
            #expect(pair.write([1]) == 1)
            if results(of: .receive) == [1] {
                taken += 1
                continue
            }
            #expect(taken == counts.last, "until then all found one")
            // The byte that found no buffer.
            driver.receive(on: pair.first, into: size, token: token)
            try #require(results(of: .receive) == [1])
            taken += 1
            counts.append(offered)
        }
        #expect(counts == (size == .small ? [64, 128, 256, 512] : [8, 16, 32, 64, 128]))
        #expect(pair.write([1]) == 1)
        #expect(results(of: .receive) == [-ENOBUFS])
    }

    /// Sends, and says what was answered to it: nil is that it took everything.
    private func send(_ text: String, on socket: Int32) -> Int32? {
        var bytes = Array(text.utf8)
        return unsafe bytes.withUnsafeMutableBytes { bytes in
            var piece = unsafe SendPiece(start: bytes.baseAddress!, count: bytes.count)
            return unsafe withUnsafeMutablePointer(to: &piece) { piece in
                let pieces = unsafe SendPieces(start: piece, count: 1)
                // Safe: handed over, and so read, before the pointers end.
                unsafe driver.sendBatched(pieces, on: socket, token: Token(.batchedSend, generation: 1, slot: slot))
                driver.wait(milliseconds: 0)
                var answer: Int32?
                while let completion = driver.nextCompletion() {
                    if completion.token.operation == .batchedSend { answer = completion.result }
                }
                return answer
            }
        }
    }

    @Test func `a socket that the kernel would not register is sent to by its descriptor`() throws {
        try #require(driver.sendsInBatches)
        let pair = try SocketPair()
        // Registered under a number that is no descriptor: the kernel refuses it.
        driver.opened(.max, slot: slot)
        #expect(send("lost", on: pair.first) == -EAGAIN, "the loop keeps what waits, and tries again")
        let isEmpty = pair.read().isEmpty
        #expect(isEmpty)
        #expect(send("kept", on: pair.first) == nil)
        let received = pair.read()
        #expect(received == Array("kept".utf8))
    }

    @Test func `a socket whose removal from the table failed is removed again`() throws {
        var ends: [Int32] = [0, 0]
        #expect(unsafe ringcast_stream_pair(&ends) == 0)
        defer { close(ends[1]) }
        driver.opened(ends[0], slot: slot)
        driver.wait(milliseconds: 0)
        let isForgotten = driver.files.forget(Int(slot))
        try #require(isForgotten, "the table is switched off")
        close(ends[0])
        // A completion for the removal, which only one that failed has.
        driver.ring.cancel(1 << 40, userData: Token(.driver, slot: slot).rawValue)
        driver.wait(milliseconds: 0)
        while driver.nextCompletion() != nil {}
        driver.wait(milliseconds: 0)
        var byte: UInt8 = 0
        #expect(unsafe recv(ends[1], &byte, 1, 0) == 0, "the other end sees the end")
    }

    @Test func `an error of a socket that is registered stays one`() throws {
        try #require(driver.sendsInBatches)
        let pair = try SocketPair()
        driver.opened(pair.first, slot: slot)
        #expect(send("x", on: pair.first) == nil)
        shutdown(pair.first, Int32(SHUT_WR))
        #expect(send("y", on: pair.first) == -EPIPE)
    }
}
