/// A run of bytes in the vector of a send.
///
/// Laid out as the `iovec` of the system's calls, so that a driver hands a vector on as it lies.
@unsafe
package struct SendPiece: BitwiseCopyable {
    package var start: UnsafeMutableRawPointer
    package var count: Int

    package init(start: UnsafeMutableRawPointer, count: Int) {
        unsafe self.start = unsafe start
        unsafe self.count = count
    }
}

/// What one operation sends, in order: one piece or more, in the vector of the connection's send queue.
@unsafe
package struct SendPieces: BitwiseCopyable {
    package let start: UnsafeMutablePointer<SendPiece>
    package let count: Int

    package init(start: UnsafeMutablePointer<SendPiece>, count: Int) {
        unsafe self.start = unsafe start
        unsafe self.count = count
    }

    package subscript(index: Int) -> UnsafeRawBufferPointer {
        let piece = unsafe start[index]
        return unsafe UnsafeRawBufferPointer(start: piece.start, count: piece.count)
    }
}
