import CIOUring
import Testing

@testable import Reactor

@Suite struct SendQueueTests {
    @Test func `a queue that never runs empty does not grow`() {
        var queue = SendQueue()
        let chunks = ChunkPool()
        _ = unsafe queue.append(600, chunks: chunks)
        for _ in 0..<10_000 {
            _ = unsafe queue.beginSend()
            _ = unsafe queue.append(600, chunks: chunks)
            queue.finishSend(taken: 600, chunks: chunks) { _ in }
        }
        let (byteCount, capacity) = (queue.byteCount, queue.capacity)
        #expect(byteCount == 600 && capacity <= 8)
        queue.removeAll(chunks: chunks) { _ in }
    }

    /// The lengths of the pieces of the next operation, which takes everything.
    private func sendNext(of queue: inout SendQueue, _ chunks: ChunkPool, atMost limit: Int? = nil) -> [Int] {
        let message = unsafe limit.map { unsafe queue.beginSend(atMost: $0) } ?? queue.beginSend()
        let count = unsafe message.pointee.msg_iovlen
        let lengths = (0..<count).map { unsafe message.pointee.msg_iov[$0].iov_len }
        queue.finishSend(taken: lengths.reduce(0, +), chunks: chunks) { _ in }
        return lengths
    }

    @Test func `a piece that is longer than the kernel takes at once goes in parts, all of it`() {
        var queue = SendQueue()
        let chunks = ChunkPool()
        // Only its length is looked at.
        let pretended = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: 4_096), count: 5 << 30)
        unsafe queue.append(pretended, of: ReceiveBuffer(.large, index: 0))
        _ = unsafe queue.append(10, chunks: chunks)
        var lengths: [[Int]] = []
        while queue.byteCount > 0 { lengths.append(sendNext(of: &queue, chunks)) }
        let limit = SendQueue.maximumByteCount
        #expect(lengths == [[limit], [limit], [5 << 30 - 2 * limit, 10]])
    }

    @Test func `an operation takes whole pieces up to a limit, or the beginning of one`() {
        var queue = SendQueue()
        let chunks = ChunkPool()
        let bytes = [UInt8](repeating: 1, count: 100)
        unsafe bytes.withUnsafeBytes { bytes in
            for index: UInt16 in 0..<4 { unsafe queue.append(bytes, of: ReceiveBuffer(.small, index: index)) }
            var lengths: [[Int]] = []
            while queue.byteCount > 0 { lengths.append(sendNext(of: &queue, chunks, atMost: 250)) }
            #expect(lengths == [[100, 100], [100, 100]])
            unsafe queue.append(bytes, of: ReceiveBuffer(.small, index: 0))
            #expect(sendNext(of: &queue, chunks, atMost: 60) == [60])
            #expect(sendNext(of: &queue, chunks, atMost: 60) == [40])
        }
        let isEmpty = queue.isEmpty
        #expect(isEmpty)
    }

    @Test func `behind a slow peer a small piece of a shared block is copied, and keeps nothing of it`() {
        var queue = SendQueue()
        let chunks = ChunkPool()
        let log = SharedLog(blocks: SharedBlockPool())
        let small = unsafe log.append(3) { unsafe $0.storeBytes(of: 7, as: UInt8.self) }
        queue.append(small)
        _ = unsafe queue.append(5, chunks: chunks)
        let large = unsafe log.append(SendQueue.pinnedByteCount) { _ in }
        queue.append(large)
        var released = 0
        queue.ownEverything(chunks: chunks) { _ in released += 1 }
        #expect(released == 1)
        #expect(queue.byteCount == 8 + SendQueue.pinnedByteCount)
        queue.removeAll(chunks: chunks) { _ in }
    }
}
