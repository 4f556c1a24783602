import PubSub
import Synchronization
import WebSocketProtocol

/// What one loop compresses and decompresses with for all sockets without a context of their own, and where it writes
/// to. Each part is made when it is first needed; an idle socket owns none of it.
final class LoopCompression {
    /// Compressors by the form that they make.
    private var deflaters = [DeflateStream?](repeating: nil, count: FrameForm.count)
    private var smallDeflater: DeflateStream?
    private var sharedInflater: InflateStream?
    /// Frames on their way out.
    var output = MessageBuffer()
    /// The message that a handler is lent.
    var input = MessageBuffer()

    /// Beyond so many bytes, buffers go back after use.
    static let keptByteCount = 256 << 10

    /// A message of so many bytes is deflated no worse with a window of `smallWindowBits` (zlib refers back 262 bytes
    /// less than a window holds), and the smaller compressor has 8 KB of hash table to clear before it, not 64.
    static let smallByteCount = (1 << smallWindowBits) - 262
    private static let smallWindowBits = 12

    /// A compressor without context, for a message of that length and a window of the form's bits.
    func deflater(for form: Int, byteCount: Int) -> DeflateStream {
        if byteCount <= Self.smallByteCount, FrameForm.windowBits(of: form) >= Self.smallWindowBits {
            if let smallDeflater { return smallDeflater }
            let deflater = DeflateStream(windowBits: Self.smallWindowBits, memoryLevel: 5, keepsContext: false)
            smallDeflater = deflater
            return deflater
        }
        if let deflater = deflaters[form] { return deflater }
        let deflater = DeflateStream(windowBits: FrameForm.windowBits(of: form), memoryLevel: 8, keepsContext: false)
        deflaters[form] = deflater
        return deflater
    }

    /// A decompressor without context, for every window.
    var inflater: InflateStream {
        if let sharedInflater { return sharedInflater }
        let inflater = InflateStream(windowBits: 15, keepsContext: false)
        sharedInflater = inflater
        return inflater
    }

    /// Deflates a message in each of the forms of `wanted`, a set of bits, into `output`, as frames.
    /// - Returns: where each form lies; empty for one that is not wanted, or no shorter than the message.
    func deflate(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, in wanted: UInt8) -> DeflatedForms {
        output.removeAll()
        var forms = DeflatedForms(repeating: 0..<0)
        let plainLength = unsafe OutgoingFrame(opcode, payload).byteCount
        for form in 1..<FrameForm.count where wanted & 1 << UInt8(form) != 0 {
            let range = unsafe deflater(for: form, byteCount: payload.count)
                .appendFrame(payload, as: opcode, to: &output)
            if range.count < plainLength { forms[form] = range }
        }
        return forms
    }
}

/// Where the forms of a message lie in `LoopCompression.output`.
typealias DeflatedForms = InlineArray<8, Range<Int>>

/// What threads that are no loops compress with, one at a time.
final class ForeignCompression: Sendable {
    private let compression = Mutex(LoopCompression())

    func withLock<Result>(_ body: (borrowing LoopCompression) -> sending Result) -> sending Result {
        compression.withLock { compression in body(compression) }
    }
}

/// A compressor by reference, since a `Deflater` has one owner.
final class DeflateStream {
    private var deflater: Deflater

    init(windowBits: Int, memoryLevel: Int, keepsContext: Bool) {
        deflater = Deflater(windowBits: windowBits, memoryLevel: memoryLevel, keepsContext: keepsContext)
    }

    func forgetContext() { deflater.forgetContext() }

    /// Appends an unmasked, unfragmented frame with the message deflated (RFC 7692 §6.1), and says where it lies.
    func appendFrame(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to buffer: inout MessageBuffer
    ) -> Range<Int> {
        // The length is known afterwards: the header is written as close to the payload as it has to be.
        buffer.skip(FrameHeader.maximumLength)
        let start = buffer.count
        unsafe deflater.deflate(payload.bytes, into: &buffer)
        let header = FrameHeader(opcode: opcode, isCompressed: true, payloadLength: buffer.count - start)
        let frameStart = start - header.encodedLength
        var room = buffer.mutableBytes(frameStart..<start)
        header.write(into: &room)
        return frameStart..<buffer.count
    }
}

/// A decompressor by reference, since an `Inflater` has one owner.
final class InflateStream {
    private var inflater: Inflater

    init(windowBits: Int, keepsContext: Bool) {
        inflater = Inflater(windowBits: windowBits, keepsContext: keepsContext)
    }

    func inflate(
        _ payload: RawSpan, limit: Int, into buffer: inout MessageBuffer
    ) throws(ProtocolViolation) {
        try inflater.inflate(payload, limit: limit, into: &buffer)
    }
}

extension FrameHeader {
    /// Bytes of the longest header without a mask (RFC 6455 §5.2).
    static let maximumLength = 10
}
