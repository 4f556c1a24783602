/// Bytes that several connections of a loop send: written once (`share`), queued by reference (`queueShared`).
extension EventLoop {
    /// Bytes for several connections, which `fill` writes, all of them.
    ///
    /// A connection that gets bytes of one form only, one after the other, sends them as one piece. The forms of a
    /// message, such as the compressed one, are numbers from 0 on.
    package func share(_ count: Int, in form: Int = 0, _ fill: (UnsafeMutableRawPointer) -> Void) -> SharedBytes {
        unsafe state.sharedLog.append(count, form: form, fill)
    }

    /// Keeps shared bytes valid until `release`, also while others are written.
    package func keep(_ bytes: SharedBytes) { bytes.block.beginUse() }

    package func release(_ bytes: SharedBytes) { state.sharedLog.release(bytes.block) }

    /// Queues bytes of the shared log by reference.
    ///
    /// Behind a slow peer a small run that does not continue the last one is copied: a block stays as long as one byte
    /// of it waits, and many such runs would keep far more than they hold.
    fileprivate func append(_ bytes: SharedBytes, on connection: ConnectionSlot) {
        markDirty(connection)
        let queue = unsafe queue(of: connection)
        if connection.state.flags.contains(.blocked), bytes.count < SendQueue.pinnedByteCount {
            let room = unsafe queue.pointee.append(bytes.count, chunks: &state.chunks)
            unsafe room.copyMemory(from: bytes.start, byteCount: bytes.count)
        } else {
            unsafe queue.pointee.append(bytes)
        }
    }
}

/// What became of bytes that were offered to one of many receivers.
package enum DeliveryResult {
    case queued
    /// Queued behind bytes that are left from an earlier flush.
    case queuedBehind
    /// The queue holds the limit or more: nothing was queued.
    case atLimit
    /// The connection is closing: nothing was queued.
    case closed
}

extension ConnectionSlot {
    /// The step of a fan-out: everything for one receiver in one call, since it is made once per message and
    /// subscriber.
    ///
    /// Where the bytes follow those that were queued last, it costs a few comparisons and two additions.
    /// - Parameter limit: nothing is queued on top of so many bytes.
    package func queueShared(_ bytes: SharedBytes, limit: Int) -> DeliveryResult {
        guard state.phase < .closing else { return .closed }
        if let queue = unsafe state.sendQueue {
            guard unsafe queue.pointee.byteCount < limit else { return .atLimit }
            // What is continued was queued since the last flush: the connection is in the list of this turn's flush
            // already, or its send under way leads to the next one.
            if unsafe queue.pointee.extend(by: bytes) { return result }
        } else if limit <= 0 {
            return .atLimit
        }
        state.withLoop { $0.append(bytes, on: self) }
        return result
    }

    private var result: DeliveryResult { state.flags.contains(.blocked) ? .queuedBehind : .queued }
}
