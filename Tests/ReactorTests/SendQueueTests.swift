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
}
