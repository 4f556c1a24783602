internal import CZlib

/// Decompresses messages (RFC 7692 §7.2.2), those of one connection or one after the other of many.
///
/// It costs zlib's memory, 7 KB, and the window once there is something in it. Not thread-safe.
@safe public struct Inflater: ~Copyable {
    /// What zlib knows of the stream, in memory of its own, since zlib's state points back to it.
    private let stream: UnsafeMutablePointer<z_stream>
    private let keepsContext: Bool
    /// Whether the next message cannot refer to what came before it.
    private var isStale = false

    /// - Parameters:
    ///   - windowBits: 8 to 15: the logarithm of how many bytes are remembered.
    ///   - keepsContext: whether messages may refer to those before them.
    public init(windowBits: Int, keepsContext: Bool) {
        precondition(8...15 ~= windowBits, "a window has 8 to 15 bits")
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        self.keepsContext = keepsContext
        // A negative window asks for raw deflate, without zlib's header.
        let status = unsafe inflateInit2_(
            stream, -Int32(windowBits), ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib has no memory for a decompressor")
    }

    deinit {
        _ = unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Appends the message to `output` whose compressed form `payload` is.
    ///
    /// The bound is kept while inflating: of a message that grows beyond it, `limit` bytes and one more are made. Cost:
    /// some 2 to 10 ns a byte of the message.
    /// - Parameters:
    ///   - payload: all of it, of one message.
    ///   - limit: the most bytes that the message may have.
    ///   - output: where the message is appended.
    /// - Throws: `messageTooBig`, or `invalidDeflate` for a payload that is not a deflated message, or not a whole one.
    ///   After either an inflater that keeps context is of no more use.
    public mutating func inflate(
        _ payload: RawSpan, limit: Int, into output: inout MessageBuffer
    ) throws(ProtocolViolation) {
        if isStale { _ = unsafe inflateReset(stream) }
        isStale = !keepsContext
        // A compressor that has nothing to flush may give nothing at all.
        guard payload.byteCount > 0 else { return }
        let most = output.count + min(limit, Int.max - output.count - 1)
        // A message may consist of finished streams (§7.2.3.4), the last of which has no more to say.
        if try run(payload, most: most, into: &output) == .finished { return }
        // §7.2.2: the sender has cut off the end of an empty block. If these bytes mean anything else here, the payload
        // was not whole.
        let tail: InlineArray<4, UInt8> = [0x00, 0x00, 0xFF, 0xFF]
        let count = output.count
        let end = try run(unsafe tail.span.bytes, most: most, into: &output)
        guard end == .betweenBlocks, output.count == count else { throw .invalidDeflate }
    }

    /// Where the decompressor stands when its input is used up.
    private enum Position {
        case finished
        case betweenBlocks
        case insideBlock
    }

    private mutating func run(
        _ input: RawSpan, most: Int, into output: inout MessageBuffer
    ) throws(ProtocolViolation) -> Position {
        var offset = 0
        while true {
            // One byte beyond the bound tells a message that ends there from one that does not.
            let room = unsafe output.room(atLeast: 1, growingTo: most + 1)
            let space = min(room.count, most + 1 - output.count, Deflater.largestPiece)
            let (status, taken, made) = unsafe step(input, from: offset, to: room, space)
            offset += taken
            output.advance(by: made)
            guard output.count <= most else { throw .messageTooBig }
            switch status {
            case Z_STREAM_END:
                // The window is kept, since what follows may refer to it.
                _ = unsafe inflateResetKeep(stream)
                if offset == input.byteCount { return .finished }
            case Z_OK, Z_BUF_ERROR:
                if made < space {
                    guard offset == input.byteCount else { continue }
                    // zlib sets this bit of `data_type` when it stands behind the end of a block.
                    return unsafe stream.pointee.data_type & 128 != 0 ? .betweenBlocks : .insideBlock
                }
            default: throw .invalidDeflate
            }
            // No step without progress, whatever zlib says: a peer must not be able to keep the loop here.
            guard taken > 0 || made > 0 else { throw .invalidDeflate }
        }
    }

    /// One call of zlib: its status, bytes taken and bytes made.
    private mutating func step(
        _ input: RawSpan, from offset: Int, to room: UnsafeMutableRawBufferPointer, _ space: Int
    ) -> (Int32, Int, Int) {
        let count = min(input.byteCount - offset, Deflater.largestPiece)
        // Safe: zlib reads `count` bytes of the input, which has them, and writes `space` bytes, for which there is
        // room, inside the closure only.
        let status = unsafe input.withUnsafeBytes { bytes in
            unsafe stream.pointee.next_in = unsafe .init(
                mutating: (bytes.baseAddress! + offset).assumingMemoryBound(to: UInt8.self))
            unsafe stream.pointee.avail_in = UInt32(count)
            unsafe stream.pointee.next_out = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(space)
            return unsafe CZlib.inflate(stream, Z_SYNC_FLUSH)
        }
        unsafe stream.pointee.next_in = nil
        return unsafe (status, count - Int(stream.pointee.avail_in), space - Int(stream.pointee.avail_out))
    }
}
