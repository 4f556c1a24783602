import PubSub
import Reactor
import WebSocketProtocol

/// The forms in which one published message leaves a loop. Each is written to a log of its own when the first receiver
/// that can read it is met, so that nothing is deflated for nobody, and receivers of one form get one run of bytes.
@safe struct FrameForms {
    @safe private enum Source {
        /// Published here.
        case message(UnsafeRawBufferPointer, Opcode)
        /// With forms that the publisher has made.
        case frame(SharedFrame)
    }

    private let source: Source
    private let loop: SocketLoop
    private var written = InlineArray<8, SharedBytes?>(repeating: nil)
    /// Bits of the forms that are no shorter than the message, or were not made: the plain one stands in for them.
    private var plainForms: UInt8 = 1
    /// By form, copies for sockets that are behind: see `Session.queue(_:keeping:policy:of:)`.
    var copies = InlineArray<8, [UInt8]?>(repeating: nil)

    /// Safe as long as the payload, or the frame, outlives it.
    init(of payload: UnsafeRawBufferPointer, as opcode: Opcode, on loop: SocketLoop) {
        unsafe source = .message(payload, opcode)
        self.loop = loop
    }

    init(of frame: SharedFrame, on loop: SocketLoop) {
        source = .frame(frame)
        self.loop = loop
    }

    /// What a receiver of this form gets.
    @inline(__always)
    subscript(form: Int) -> SharedBytes {
        mutating get { written[form] ?? write(form) }
    }

    /// Whether that is compressed.
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

    /// Writes a deflated form, if there is one that is shorter than the message.
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
