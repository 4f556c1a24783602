import CIOUring
import Glibc
import IOUring
import Testing

@testable import Reactor

/// What the driver decides by itself; all else is the loop's, and tested over it.
@Suite(.enabled(if: KernelFeature.ring.isAllowed)) struct UringDriverTests {
    private let driver: UringDriver
    private let slot: UInt32 = 5

    init() throws { driver = try UringDriver(capabilities: try UringCapabilities.probe()) }

    /// Sends, and says what was answered to it: nil is that it took everything.
    private func send(_ text: String, on socket: Int32) -> Int32? {
        var bytes = Array(text.utf8)
        return unsafe bytes.withUnsafeMutableBytes { bytes in
            var piece = unsafe iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            return unsafe withUnsafeMutablePointer(to: &piece) { piece in
                var message = unsafe msghdr()
                unsafe message.msg_iov = piece
                unsafe message.msg_iovlen = 1
                // Safe: handed over, and so read, before the pointers end.
                unsafe driver.sendBatched(&message, on: socket, token: Token(.batchedSend, generation: 1, slot: slot))
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
        driver.ring.cancel(1 << 40, userData: Token(.fileRemoval, slot: slot).rawValue)
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
