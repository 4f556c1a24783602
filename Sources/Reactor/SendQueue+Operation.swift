#if canImport(CIOUring)
    internal import CIOUring
#else
    // In Benchmarks, which build this file without the kernel interface.
    internal import Glibc
#endif

/// The one operation of a queue that may be under way, which borrows the first pieces.
extension SendQueue {
    /// The kernel's limit for one vector (`UIO_MAXIOV`).
    private static let maximumPieces = 1024
    /// What the kernel takes at once (`MAX_RW_COUNT`): it says nothing of what is behind it, which would be lost.
    static let maximumByteCount = 0x7FFF_F000

    /// Everything that one operation can take; `finishSend` settles it. Valid until the queue changes otherwise.
    /// - Parameter limit: whole pieces up to so many bytes, or the beginning of the first one. Nothing
    ///   urgent goes in front of what is under way.
    mutating func beginSend(atMost limit: Int = maximumByteCount) -> UnsafePointer<msghdr> {
        endSharedPiece()
        var count = min(sealedPieceCount > 0 ? sealedPieceCount : end - first, Self.maximumPieces)
        var bytes = byteCount
        if count < end - first || bytes > limit { (count, bytes) = piecesToSend(count, atMost: limit) }
        submittedByteCount = bytes
        submittedPieceCount = max(count, 1)
        front.room = 0
        // What is under way is not written to: the kernel may look at it later, when it takes the operation.
        room = 0
        unsafe message.pointee.msg_iov = unsafe pieces + first
        unsafe message.pointee.msg_iovlen = count
        if count == 0 {
            submittedByteCount = limit
            unsafe cutPiece.pointee = unsafe iovec(iov_base: pieces[first].iov_base, iov_len: limit)
            unsafe message.pointee.msg_iov = unsafe cutPiece
            unsafe message.pointee.msg_iovlen = 1
        }
        return unsafe UnsafePointer(message)
    }

    /// How many of the first `count` pieces have no more than `limit` bytes together, and how many bytes those have.
    private func piecesToSend(_ count: Int, atMost limit: Int) -> (count: Int, bytes: Int) {
        var bytes = 0
        for index in 0..<count {
            let length = unsafe pieces[first + index].iov_len
            if length > limit - bytes { return (index, bytes) }
            bytes += length
        }
        return (count, bytes)
    }

    /// The operation under way took its first `count` bytes.
    mutating func finishSend(taken count: Int, chunks: inout ChunkPool, released: (Loan) -> Void) {
        precondition(count <= submittedByteCount)
        (submittedByteCount, submittedPieceCount) = (0, 0)
        removeFirst(count, chunks: &chunks, released: released)
    }
}
