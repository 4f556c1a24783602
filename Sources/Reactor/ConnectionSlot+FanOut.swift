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
        let flags = state.flags
        guard flags.isDisjoint(with: [.closing, .ended]) else { return .closed }
        if let queue = unsafe state.sendQueue {
            guard unsafe queue.pointee.byteCount < limit else { return .atLimit }
            // What is continued was queued since the last flush: the connection is in the list of this turn's flush
            // already, or its send under way leads to the next one.
            if unsafe queue.pointee.extend(by: bytes) { return flags.contains(.blocked) ? .queuedBehind : .queued }
        } else if limit <= 0 {
            return .atLimit
        }
        state.withLoop { $0.append(bytes, on: self) }
        return flags.contains(.blocked) ? .queuedBehind : .queued
    }
}
