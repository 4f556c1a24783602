/// The one operation of a queue that may be under way, which borrows the first pieces.
extension SendQueue {
    /// The kernel's limit for one vector (`UIO_MAXIOV`).
    private static let maximumPieces = 1024
    /// What the kernel takes at once (`MAX_RW_COUNT`); it does not tell that more was given, which would be lost.
    static let maxByteCount = 0x7FFF_F000

    /// Everything that one operation can take. Until `finishSend` settles it the pieces stay as they are, and nothing
    /// urgent goes in front of them.
    /// - Parameter limit: whole pieces up to so many bytes, or the beginning of the first one.
    mutating func beginSend(atMost limit: Int = maxByteCount) -> SendPieces {
        endSharedPiece()
        var count = min(sealedPieceCount > 0 ? sealedPieceCount : end - first, Self.maximumPieces)
        var bytes = byteCount
        if count < end - first || bytes > limit { (count, bytes) = piecesToSend(count, atMost: limit) }
        submittedByteCount = bytes
        submittedPieceCount = max(count, 1)
        front.room = 0
        // What is under way is not written to: the kernel may look at it later, when it takes the operation.
        room = 0
        guard count == 0 else { return unsafe SendPieces(start: pieces + first, count: count) }
        submittedByteCount = limit
        unsafe cutPiece.initialize(to: SendPiece(start: pieces[first].start, count: limit))
        return unsafe SendPieces(start: cutPiece, count: 1)
    }

    /// How many of the first `count` pieces have no more than `limit` bytes together, and how many bytes those have.
    private func piecesToSend(_ count: Int, atMost limit: Int) -> (count: Int, bytes: Int) {
        var bytes = 0
        for index in 0..<count {
            let length = unsafe pieces[first + index].count
            if length > limit - bytes { return (index, bytes) }
            bytes += length
        }
        return (count, bytes)
    }

    /// The operation under way took its first `count` bytes.
    mutating func finishSend(taken count: Int, chunks: inout ChunkPool, released: (Loan) -> Void) {
        precondition(count <= submittedByteCount)
        (submittedByteCount, submittedPieceCount) = (0, 0)
        if unsafe outgrown != nil { releaseOutgrown() }
        removeFirst(count, chunks: &chunks, released: released)
    }
}
