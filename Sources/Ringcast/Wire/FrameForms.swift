import PubSub
import Reactor
import WebSocketProtocol

/// The forms in which one published message leaves a loop. Each is written to a log of its own when the first receiver
/// that can read it is met, so that nothing is deflated for nobody, and receivers of one form get one run of bytes.
@safe struct FrameForms {
    @safe private enum Source {
        /// A message published here and for this loop alone: forms are made as they are asked for.
        case message(UnsafeRawBufferPointer, Opcode)
        /// A frame for several loops, with the forms that its publisher has made.
        case frame(SharedFrame)
    }

    private let source: Source
    private let loop: SocketLoop
    private var written = InlineArray<8, SharedBytes?>(repeating: nil)
    /// The bits of forms for which the plain one stands in: they were not made, or are no shorter.
    private var plainForms: UInt8 = 1
    /// What is made of each form: see `Session.queue(_:making:policy:of:)`.
    var renditions = InlineArray<8, FrameRenditions?>(repeating: nil)

    // Safe, both: the payload, or the frame, has to outlive the forms.
    init(of payload: UnsafeRawBufferPointer, as opcode: Opcode, on loop: SocketLoop) {
        unsafe source = .message(payload, opcode)
        self.loop = loop
    }

    init(of frame: SharedFrame, on loop: SocketLoop) {
        source = .frame(frame)
        self.loop = loop
    }

    /// The bytes that a receiver of this form gets.
    @inline(__always)
    subscript(form: Int) -> SharedBytes {
        mutating get { written[form] ?? write(form) }
    }

    /// Whether the bytes of a form are compressed. Asked after them.
    func isDeflated(_ form: Int) -> Bool { plainForms & 1 << UInt8(form) == 0 }

    private mutating func write(_ form: Int) -> SharedBytes {
        let bytes = form == FrameForm.plain ? writePlain() : writeDeflated(form)
        if bytes == nil { plainForms |= 1 << UInt8(form) }
        let result = bytes ?? self[FrameForm.plain]
        written[form] = result
        return result
    }

    private func writePlain() -> SharedBytes? {
        switch source {
        case .message(let payload, let opcode):
            unsafe loop.counters.pointee.framesEncoded += 1
            return unsafe loop.eventLoop.share(OutgoingFrame(opcode, payload))
        case .frame(let frame): return loop.eventLoop.share(frame.encoded)
        }
    }

    /// Writes a deflated form; nil if it is no shorter than the message, or was not made.
    private func writeDeflated(_ form: Int) -> SharedBytes? {
        switch source {
        case .message(let payload, let opcode):
            let compression = loop.compression
            let range = unsafe compression.deflate(payload, as: opcode, in: 1 << UInt8(form))[form]
            unsafe loop.counters.pointee.framesDeflated += 1
            func share(_ buffer: borrowing MessageBuffer) -> SharedBytes? {
                guard !range.isEmpty else { return nil }
                return unsafe buffer.bytes.extracting(range).withUnsafeBytes {
                    unsafe loop.eventLoop.share(EncodedFrame($0), in: form)
                }
            }
            defer { compression.output.removeAll(keeping: LoopCompression.keptByteCount) }
            return share(compression.output)
        case .frame(let frame):
            guard let bytes = unsafe frame.variant(form - 1) else { return nil }
            return unsafe loop.eventLoop.share(EncodedFrame(bytes), in: form)
        }
    }
}
