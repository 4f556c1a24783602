import PubSub
import Reactor
import WebSocketProtocol

/// A whole frame as `OutgoingFrame` or `DeflateStream` has written it, unmasked and unfragmented (RFC 6455 §5.2): what
/// logs, backlogs and retained messages keep. Used while the bytes are lent.
@safe struct EncodedFrame {
    let bytes: UnsafeRawBufferPointer

    /// - Parameter bytes: a frame that this process has written, and so is not checked.
    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    var opcode: Opcode { unsafe Opcode(rawValue: bytes[0] & 0x0F) ?? .binary }

    /// Whether RSV1 is set (RFC 7692 §6).
    var isCompressed: Bool { unsafe bytes[0] & 0x40 != 0 }

    var payload: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: bytes[headerLength...]) }

    private var headerLength: Int {
        switch unsafe bytes[1] {
        case 126: 4
        case 127: 10
        default: 2
        }
    }
}

extension Connection {
    /// Queues a whole frame behind everything else.
    func send(_ frame: EncodedFrame) {
        let bytes = unsafe frame.bytes
        // Safe: the cork gives room for exactly the frame.
        unsafe send(count: bytes.count) { unsafe $0.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count) }
    }
}

extension EventLoop {
    /// Writes a whole frame to the log of its form.
    func share(_ frame: EncodedFrame, in form: Int = FrameForm.plain) -> SharedBytes {
        let bytes = unsafe frame.bytes
        // Safe: the log gives room for exactly the frame.
        return unsafe share(bytes.count, in: form) {
            unsafe $0.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        }
    }
}
