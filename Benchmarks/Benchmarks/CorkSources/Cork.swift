/// A send queue and what it takes memory from, as a loop has them, behind a `package` door: the sources beside this
/// file are links to the reactor's own, and `internal` there.
@safe
package final class Cork {
    /// Behind a pointer as in the reactor: no exclusivity check for each message.
    private struct State: ~Copyable {
        var chunks = ChunkPool()
        var log = SharedLog()
        var queue = SendQueue()
    }

    private let box = LoopBox(State())
    private var state: State {
        unsafeAddress { unsafe UnsafePointer(box.address) }
        unsafeMutableAddress { unsafe box.address }
    }
    private let size: Int
    private let payload: UnsafeMutableRawPointer

    /// - Parameter size: of a message, in bytes.
    package init(messageSize size: Int) {
        self.size = size
        unsafe payload = .allocate(byteCount: size, alignment: 16)
        unsafe payload.initializeMemory(as: UInt8.self, repeating: 0x61, count: size)
    }

    deinit { unsafe payload.deallocate() }

    /// One turn of a connection: so many messages are written to the cork and leave it in one operation.
    package func turn(writing count: Int) {
        for _ in 0..<count {
            unsafe state.queue.append(size, chunks: &state.chunks).copyMemory(from: payload, byteCount: size)
        }
        send()
    }

    /// One turn of a subscriber: so many frames that lie in the loop's log, one behind the other, are referenced and
    /// leave in one operation.
    package func turn(sharing count: Int) {
        for _ in 0..<count {
            let frame = unsafe state.log.append(size) { _ in }
            if !state.queue.extend(by: frame) { state.queue.append(frame) }
        }
        send()
    }

    private func send() {
        _ = unsafe state.queue.beginSend()
        state.queue.finishSend(taken: state.queue.byteCount, chunks: &state.chunks) { loan in
            if case .sharedBlock(let block) = loan { state.log.release(block) }
        }
    }
}
