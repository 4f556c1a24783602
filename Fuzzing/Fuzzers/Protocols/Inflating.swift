import CZlib
import FuzzSupport
@testable import WebSocketProtocol

/// Compressed messages, one after the other, within bounds of any size.
enum Inflating {
    static func run(_ input: inout FuzzInput) {
        let windowBits = 8 + input.number(below: 8)
        let keepsContext = input.bool()
        let limit = input.element(of: [1 << 16, 0, 1, 10, 1000])
        var inflater = Inflater(windowBits: windowBits, keepsContext: keepsContext)
        let reference = ReferenceInflater()
        var isFirst = true
        while !input.isEmpty || isFirst {
            isFirst = false
            let payload = input.take(1 + Int(input.byte()))
            if !keepsContext { reference.forget() }
            guard let message = inflate(payload, with: &inflater, limit) else {
                if keepsContext { return }
                continue
            }
            let expected = reference.inflate(payload, limit: limit)
            require(message == expected, "\(message.count) bytes, and from zlib \(expected?.count ?? -1)")
            if !keepsContext { checkBound(payload, message, &inflater) }
            checkRoundTrip(message, windowBits)
        }
    }

    /// Nil: it is refused. The bound holds either way, for the memory too.
    private static func inflate(_ payload: [UInt8], with inflater: inout Inflater, _ limit: Int) -> [UInt8]? {
        var output = MessageBuffer()
        do throws(ProtocolViolation) {
            try inflater.inflate(payload.span.bytes, limit: limit, into: &output)
        } catch {
            require(error == .invalidDeflate || error == .messageTooBig, "\(error)")
            require(output.count <= limit + 1 && output.capacity <= limit + 1, "\(output.capacity) bytes of \(limit)")
            require(error != .messageTooBig || output.count == limit + 1, "too big before the limit")
            return nil
        }
        require(output.count <= limit && output.capacity <= limit + 1, "\(output.capacity) bytes of \(limit)")
        return output.bytes.withUnsafeBytes { Array($0) }
    }

    /// A message of the limit is taken, and of one byte more is not; and nothing is left of the messages before.
    private static func checkBound(_ payload: [UInt8], _ message: [UInt8], _ inflater: inout Inflater) {
        require(inflate(payload, with: &inflater, message.count) == message, "another message the second time")
        guard !message.isEmpty else { return }
        require(inflate(payload, with: &inflater, message.count - 1) == nil, "one byte more than the limit")
    }

    private static func checkRoundTrip(_ message: [UInt8], _ windowBits: Int) {
        guard !message.isEmpty else { return }
        var deflater = Deflater(windowBits: windowBits, memoryLevel: 1, keepsContext: false)
        var deflated = MessageBuffer()
        deflater.deflate(message.span.bytes, into: &deflated)
        let limits = DecoderLimits(maxPayloadLength: message.count)
        require(deflated.count <= limits.maxDeflatedLength, "\(message.count) bytes became \(deflated.count)")
        var inflater = Inflater(windowBits: windowBits, keepsContext: false)
        let payload = deflated.bytes.withUnsafeBytes { Array($0) }
        require(inflate(payload, with: &inflater, message.count) == message, "another message behind deflate")
    }
}

/// zlib, byte by byte and with the largest window.
private final class ReferenceInflater {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() {
        stream.initialize(to: z_stream())
        let status = inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        require(status == Z_OK, "zlib has no memory")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func forget() { inflateReset(stream) }

    /// Nil: it is not a message, or a longer one.
    func inflate(_ payload: [UInt8], limit: Int) -> [UInt8]? {
        guard !payload.isEmpty else { return [] }
        var output: [UInt8] = []
        guard let isFinished = run(payload, limit, &output) else { return nil }
        if isFinished { return output }
        return run([0, 0, 0xFF, 0xFF], limit, &output) == nil ? nil : output
    }

    /// Whether the last stream has ended; nil: it is broken.
    private func run(_ input: [UInt8], _ limit: Int, _ output: inout [UInt8]) -> Bool? {
        var room = [UInt8](repeating: 0, count: 512)
        var isFinished = false
        for byte in input {
            isFinished = false
            var one = byte
            stream.pointee.avail_in = 1
            var isFull = false
            repeat {
                let status = withUnsafeMutablePointer(to: &one) { source in
                    room.withUnsafeMutableBufferPointer { target in
                        stream.pointee.next_in = source + Int(1 - stream.pointee.avail_in)
                        stream.pointee.next_out = target.baseAddress
                        stream.pointee.avail_out = UInt32(target.count)
                        return CZlib.inflate(stream, Z_SYNC_FLUSH)
                    }
                }
                output += room.prefix(room.count - Int(stream.pointee.avail_out))
                isFull = stream.pointee.avail_out == 0
                if status == Z_STREAM_END {
                    inflateResetKeep(stream)
                    isFinished = true
                } else if status != Z_OK, status != Z_BUF_ERROR {
                    return nil
                }
            } while isFull || stream.pointee.avail_in > 0
            if output.count > limit { return nil }
        }
        return isFinished
    }
}
