/// A TLS connection's queue: records at the front, which are sent, and plain bytes behind them, which become records
/// when those have gone. `byteCount` counts both, each in its present form.
extension SendQueue {
    /// Everything in the queue is records.
    mutating func markSealed() {
        endSharedPiece()
        sealedPieceCount = end - first
        room = 0
    }

    /// Moves the pieces of another queue behind this one's.
    mutating func takeAll(of other: inout SendQueue) {
        other.endSharedPiece()
        let count = end - first
        for index in other.first..<other.end { unsafe push(other.pieces[index], owner: other.owners[index]) }
        front.takeAll(of: other.front, behind: count)
        byteCount += other.byteCount
        other.byteCount = 0
        (other.first, other.end) = (0, 0)
        other.reset()
    }

    /// The first bytes as one run: where they lie, or, if several pieces are needed for so many, gathered.
    ///
    /// Small messages of one turn become one record that way. The queue must not be empty.
    mutating func firstBytes(atMost limit: Int, gatheredIn scratch: UnsafeMutableRawBufferPointer)
        -> UnsafeRawBufferPointer
    {
        endSharedPiece()
        let start = unsafe pieces[first]
        if unsafe start.count >= limit || end - first == 1 {
            return unsafe UnsafeRawBufferPointer(start: start.start, count: min(start.count, limit))
        }
        var count = 0
        for index in first..<end where count < limit {
            let part = min(unsafe pieces[index].count, limit - count)
            unsafe (scratch.baseAddress! + count).copyMemory(from: pieces[index].start, byteCount: part)
            count += part
        }
        return unsafe UnsafeRawBufferPointer(rebasing: scratch[..<count])
    }
}
