/// The way of bytes from the queue of a carried connection into its carrier's.
extension SendQueue {
    /// Shorter runs are copied: behind a frame's header a piece of their own would cost the kernel more than that.
    private static let movedByteCount = 1_024

    /// Moves the first bytes behind those of another queue: large pieces as they are, small ones and the beginnings of
    /// those that are divided as copies. Bytes that are shared stay so.
    mutating func moveFirst(
        _ count: Int, to other: inout SendQueue, chunks: inout ChunkPool, released: (Loan) -> Void
    ) {
        precondition(count <= byteCount && submittedByteCount == 0, "bytes were moved that are not there")
        endSharedPiece()
        var left = count
        while left > 0 {
            let piece = unsafe pieces[first]
            let length = unsafe min(left, piece.count)
            left -= length
            byteCount -= length
            if length >= Self.movedByteCount, case .shared(let block) = unsafe owners[first] {
                unsafe other.append(SharedBytes(start: piece.start, count: length, block: block))
                unsafe leave(length, of: piece, chunks: &chunks, released: released)
            } else if unsafe length >= Self.movedByteCount && length == piece.count {
                handFirst(to: &other)
            } else {
                unsafe other.append(length, chunks: &chunks).copyMemory(from: piece.start, byteCount: length)
                unsafe leave(length, of: piece, chunks: &chunks, released: released)
            }
        }
        if first == end { reset() }
    }

    /// Takes bytes off the first piece that have gone elsewhere.
    private mutating func leave(
        _ count: Int, of piece: SendPiece, chunks: inout ChunkPool, released: (Loan) -> Void
    ) {
        guard unsafe count < piece.count else { return releaseFirst(chunks: &chunks, released: released) }
        unsafe pieces[first].start += count
        unsafe pieces[first].count -= count
        front.isCut = true
        if case .urgent = unsafe owners[first] { front.urgentByteCount -= count }
    }

    /// Gives the first piece to another queue, with its memory. What is urgent here is not, behind what is there.
    private mutating func handFirst(to other: inout SendQueue) {
        var owner = unsafe owners[first]
        if case .urgent(let chunk) = owner {
            unsafe front.urgentByteCount -= pieces[first].count
            owner = .chunk(chunk)
        }
        let count = unsafe pieces[first].count
        unsafe other.push(pieces[first], owner: owner)
        other.room = 0
        other.byteCount += count
        first += 1
        front.removeFirst()
    }
}
