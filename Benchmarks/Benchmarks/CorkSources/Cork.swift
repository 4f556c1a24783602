/// A send queue and what it takes memory from, as a loop has them, behind a `package` door: the sources beside this
/// file are links to the reactor's own, and `internal` there.
@safe
package final class Cork {
    private let chunks = ChunkPool()
    private let blocks = SharedBlockPool()
    private let log: SharedLog
    // Behind a pointer as in the reactor: no exclusivity check for each message.
    private let queue: UnsafeMutablePointer<SendQueue>
    private let size: Int
    private let payload: UnsafeMutableRawPointer

    /// - Parameter size: of a message, in bytes.
    package init(messageSize size: Int) {
        self.size = size
        log = SharedLog(blocks: blocks)
        unsafe queue = .allocate(capacity: 1)
        unsafe queue.initialize(to: SendQueue())
        unsafe payload = .allocate(byteCount: size, alignment: 16)
        unsafe payload.initializeMemory(as: UInt8.self, repeating: 0x61, count: size)
    }

    deinit {
        unsafe queue.deinitialize(count: 1)
        unsafe queue.deallocate()
        unsafe payload.deallocate()
    }

    /// One turn of a connection: so many messages are written to the cork and leave it in one operation.
    package func turn(writing count: Int) {
        for _ in 0..<count {
            unsafe queue.pointee.append(size, chunks: chunks).copyMemory(from: payload, byteCount: size)
        }
        send()
    }

    /// One turn of a subscriber: so many frames that lie in the loop's log, one behind the other, are referenced and
    /// leave in one operation.
    package func turn(sharing count: Int) {
        for _ in 0..<count {
            let frame = unsafe log.append(size) { _ in }
            if unsafe !queue.pointee.extend(by: frame) { unsafe queue.pointee.append(frame) }
        }
        send()
    }

    private func send() {
        _ = unsafe queue.pointee.beginSend()
        unsafe queue.pointee.finishSend(taken: queue.pointee.byteCount, chunks: chunks) { loan in
            if case .sharedBlock(let block) = loan { blocks.release(block) }
        }
    }
}
