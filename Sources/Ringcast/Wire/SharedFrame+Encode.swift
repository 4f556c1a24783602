import PubSub
import WebSocketProtocol

extension SharedFrame {
    /// The plain form of the frame.
    var encoded: EncodedFrame { unsafe EncodedFrame(bytes) }

    /// Encodes a message for other loops to read, with a compressor also in the deflated forms that somebody wants.
    /// - Parameters:
    ///   - wanted: the deflated forms, a set of bits.
    ///   - compression: what the calling thread compresses with.
    static func encode(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, in wanted: UInt8 = 0,
        with compression: LoopCompression? = nil, owners: Int, topic: TopicEntry? = nil, stamp: UInt64 = 0
    ) -> SharedFrame {
        let frame = unsafe OutgoingFrame(opcode, payload)
        guard wanted != 0, let compression else {
            // Safe: exactly this many bytes were asked for.
            return unsafe SharedFrame.allocate(byteCount: frame.byteCount, owners: owners, topic: topic, stamp: stamp) {
                unsafe frame.write(to: $0.baseAddress!)
            }
        }
        let forms = unsafe compression.deflate(payload, as: opcode, in: wanted)
        defer { compression.output.removeAll(keeping: LoopCompression.keptByteCount) }
        var lengths = VariantLengths(repeating: 0)
        for form in 1..<FrameForm.count { lengths[form - 1] = forms[form].count }
        func fill(_ room: UnsafeMutableRawBufferPointer, from buffer: borrowing MessageBuffer) {
            let start = room.baseAddress!
            // Safe: room for the plain frame, and behind it for each form by its length, was asked for.
            unsafe frame.write(to: start)
            var offset = frame.byteCount
            for form in 1..<FrameForm.count where !forms[form].isEmpty {
                unsafe buffer.bytes.extracting(forms[form]).withUnsafeBytes {
                    unsafe (start + offset).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
                }
                offset += forms[form].count
            }
        }
        return unsafe SharedFrame.allocate(
            byteCount: frame.byteCount, variants: lengths, owners: owners, topic: topic, stamp: stamp
        ) { unsafe fill($0, from: compression.output) }
    }
}

extension SocketLoop {
    /// Encodes a publish for several loops, deflated as well if some subscriber anywhere may want it so.
    func encode(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, for entry: TopicEntry, owners: Int, stamp: UInt64,
        compress: Bool?
    ) -> SharedFrame {
        let wanted = Session.isToBeDeflated(payload.count, compress) ? entry.variants : 0
        unsafe counters.pointee.framesEncoded += 1
        unsafe counters.pointee.framesDeflated += UInt64(wanted.nonzeroBitCount)
        return unsafe SharedFrame.encode(
            payload, as: opcode, in: wanted, with: compression, owners: owners, topic: entry, stamp: stamp)
    }
}

extension SocketCore {
    /// Encodes a publish of a thread that is none of the server's loops. Such threads share compressors, under a lock.
    func encode(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, for entry: TopicEntry, owners: Int, stamp: UInt64,
        compress: Bool?
    ) -> SharedFrame {
        let wanted = Session.isToBeDeflated(payload.count, compress) ? entry.variants : 0
        guard wanted != 0 else {
            return unsafe SharedFrame.encode(payload, as: opcode, owners: owners, topic: entry, stamp: stamp)
        }
        counters[0].countForeignDeflated(wanted.nonzeroBitCount)
        // A copy, since a pointer cannot be shown to the owner of the lock.
        let payload = unsafe [UInt8](payload)
        return foreignCompression.withLock { compression in
            unsafe payload.withUnsafeBytes {
                unsafe SharedFrame.encode(
                    $0, as: opcode, in: wanted, with: compression, owners: owners, topic: entry, stamp: stamp)
            }
        }
    }
}
