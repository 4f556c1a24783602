/// Bytes that do not wait for their turn, such as control frames (RFC 6455 §5.5.2): they go in front of all that is
/// whole.
///
/// That needs no look at the bytes, since every piece begins where something whole begins: an `append` lies in one
/// piece. Only the first one may have been cut, by a send that fell short or by encryption.
extension SendQueue {
    /// The pieces that nothing urgent goes in front of, beside those of the operation under way.
    struct Front: BitwiseCopyable {
        /// Pieces up to the last one that was urgent or kept in front.
        var pieceCount = 0
        /// A part of the first piece has been sent.
        var isCut = false
        /// Bytes of the last of those pieces that nobody has written yet, if it is urgent and not under way.
        var room = 0
        /// Urgent bytes in the queue.
        var urgentByteCount = 0

        mutating func removeFirst() {
            isCut = false
            if pieceCount > 0 { pieceCount -= 1 }
            if pieceCount == 0 { room = 0 }
        }

        /// The pieces of another queue have come behind `count` of this one's.
        mutating func takeAll(of other: Front, behind count: Int) {
            let kept = max(other.pieceCount, other.isCut ? 1 : 0)
            if kept > 0 { pieceCount = count + kept }
            room = 0
            urgentByteCount += other.urgentByteCount
        }
    }

    /// `count` contiguous bytes in front of what waits, to be written at once by the caller. Urgent bytes keep their
    /// order. Costs a move of the pieces behind, once for many small ones.
    mutating func insertUrgent(_ count: Int, chunks: inout ChunkPool) -> UnsafeMutableRawPointer {
        byteCount += count
        front.urgentByteCount += count
        if count <= front.room {
            let piece = unsafe pieces + (first + front.pieceCount - 1)
            let start = unsafe piece.pointee.start + piece.pointee.count
            unsafe piece.pointee.count += count
            front.room -= count
            return unsafe start
        }
        let chunk = chunks.take(atLeast: count)
        let offset = max(front.pieceCount, submittedPieceCount, sealedPieceCount, front.isCut ? 1 : 0)
        unsafe insert(SendPiece(start: chunk.start, count: count), owner: .urgent(chunk), at: offset)
        front.pieceCount = offset + 1
        front.room = chunk.byteCount - count
        return unsafe chunk.start
    }

    /// From now on nothing urgent goes in front of what is queued already, nor of what the last chunk still gets.
    mutating func keepInFront() {
        front.pieceCount = end - first
        front.room = 0
    }
}
