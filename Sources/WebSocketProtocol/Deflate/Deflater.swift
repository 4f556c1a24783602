internal import CZlib

/// Compresses messages (RFC 7692 §7.2.1), those of one connection or one after the other of many.
///
/// It costs zlib's memory, 2^(windowBits + 2) + 2^(memoryLevel + 9) bytes, for as long as it lives. Not thread-safe.
@safe public struct Deflater: ~Copyable {
    /// What zlib knows of the stream, in memory of its own, since zlib's state points back to it.
    private let stream: UnsafeMutablePointer<z_stream>
    private let keepsContext: Bool
    /// Whether the next message must not refer to what came before it.
    private var isStale = false

    /// - Parameters:
    ///   - windowBits: 8 to 15. zlib cannot make a window of 8 bits; it gets one of 9, of which zlib uses only the last
    ///     250 bytes (its `MAX_DIST`), so that a window of 8 bits holds all that is referred to.
    ///   - memoryLevel: 1 to 9.
    ///   - keepsContext: whether messages refer to those before them.
    public init(windowBits: Int, memoryLevel: Int = 8, keepsContext: Bool) {
        precondition(8...15 ~= windowBits, "a window has 8 to 15 bits")
        precondition(1...9 ~= memoryLevel, "zlib's memory level is 1 to 9")
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        self.keepsContext = keepsContext
        // A negative window asks for raw deflate, without zlib's header.
        let status = unsafe deflateInit2_(
            stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -Int32(max(windowBits, 9)), Int32(memoryLevel),
            Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib has no memory for a compressor")
    }

    deinit {
        _ = unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Makes the next message refer to nothing before it. Needed when the peer has received a compressed message that
    /// this compressor has not made: what the peer remembers then differs from what this compressor does.
    public mutating func forgetContext() { isStale = true }

    /// Appends the compressed form of `message` to `output`, without the four bytes at its end that every message would
    /// have (§7.2.1). Incompressible bytes become a little longer.
    ///
    /// Cost: some 20 to 60 ns a byte, and for a message that starts anew clearing up to 64 KB.
    /// - Precondition: `message` is not empty: an empty one is better sent as it is.
    public mutating func deflate(_ message: RawSpan, into output: inout MessageBuffer) {
        precondition(message.byteCount > 0, "an empty message is not deflated")
        if isStale { _ = unsafe deflateReset(stream) }
        isStale = !keepsContext
        var offset = 0
        while offset < message.byteCount {
            let end = min(message.byteCount, offset + Self.largestPiece)
            let flush = end == message.byteCount ? Z_SYNC_FLUSH : Z_NO_FLUSH
            run(message.extracting(offset..<end), flush, into: &output)
            offset = end
        }
        // Every flush ends with the length, 0, of a stored block, and the complement of that length.
        output.truncate(to: output.count - 4)
    }

    private mutating func run(_ piece: RawSpan, _ flush: Int32, into output: inout MessageBuffer) {
        let stream = unsafe stream
        // Safe: zlib reads the piece, and writes where there is room, inside the closure only.
        unsafe piece.withUnsafeBytes { bytes in
            unsafe stream.pointee.next_in = unsafe .init(
                mutating: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
            unsafe stream.pointee.avail_in = UInt32(bytes.count)
            var minimum = min(unsafe Int(deflateBound(stream, UInt(bytes.count))), Self.largestPiece) + Self.flushRoom
            repeat {
                let room = unsafe output.room(atLeast: minimum)
                let space = min(room.count, Self.largestPiece)
                unsafe stream.pointee.next_out = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_out = UInt32(space)
                let status = unsafe CZlib.deflate(stream, flush)
                precondition(status == Z_OK || status == Z_BUF_ERROR, "zlib's state is damaged")
                unsafe output.advance(by: space - Int(stream.pointee.avail_out))
                minimum = Self.flushRoom
            } while unsafe stream.pointee.avail_out == 0
            unsafe stream.pointee.next_in = nil
        }
    }

    /// Bytes that one call of zlib reads or writes at the most, since zlib counts in 32 bits.
    static let largestPiece = 1 << 30
    /// More bytes than a flush appends: with less room, zlib would repeat its mark.
    private static let flushRoom = 16
}
