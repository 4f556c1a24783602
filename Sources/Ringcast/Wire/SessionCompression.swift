import WebSocketProtocol

/// What the handshake agreed on for one socket, in two bytes of its state.
struct SessionCompression: BitwiseCopyable {
    private let bits: UInt16

    /// No compression.
    init() { bits = 0 }

    init(_ parameters: DeflateParameters, role: Role) {
        let (outgoing, incoming) = (parameters.outgoing(of: role), parameters.incoming(of: role))
        bits =
            UInt16(outgoing.windowBits) | UInt16(incoming.windowBits) << 4 | (outgoing.keepsContext ? 1 << 8 : 0)
            | (incoming.keepsContext ? 1 << 9 : 0)
    }

    var outgoingWindowBits: Int { Int(bits & 0xF) }
    var incomingWindowBits: Int { Int(bits >> 4 & 0xF) }
    /// Whether messages to the peer refer to those before them; likewise `keepsIncomingContext` of those from it.
    var keepsOutgoingContext: Bool { bits & 1 << 8 != 0 }
    var keepsIncomingContext: Bool { bits & 1 << 9 != 0 }

    /// The form of a published message that the peer can read.
    var form: Int { FrameForm.deflated(windowBits: outgoingWindowBits) }
}

/// The forms of a published message by their number: 0 is plain, the others are deflated within a window of so many
/// bits more than 8. A window of 8 bits shares the form of 9: see `Deflater`.
enum FrameForm {
    static let plain = 0
    static let count = 8

    static func deflated(windowBits: Int) -> Int { max(windowBits, 9) - 8 }

    static func windowBits(of form: Int) -> Int { form + 8 }
}

extension Session {
    /// Messages shorter than this are sent as they are unless their sender asks for compression: there is little to be
    /// gained, and every message costs the peer a decompression.
    static let deflateThreshold = 1_024

    /// Whether a message is to be deflated where that was agreed on. Empty ones never are.
    @inline(__always)
    static func isToBeDeflated(_ byteCount: Int, _ compress: Bool?) -> Bool {
        guard let compress else { return byteCount >= deflateThreshold }
        return compress && byteCount > 0
    }

    /// Whether the handshake has agreed on compression, in either direction.
    var isCompressionNegotiated: Bool { unsafe state.pointee.compression.outgoingWindowBits != 0 }

    /// Takes over what the handshake has agreed on. Called before the first frame is read.
    func agree(on parameters: DeflateParameters, role: Role) {
        let compression = SessionCompression(parameters, role: role)
        unsafe state.pointee.decoder = FrameDecoder(role: role, allowsCompression: true)
        unsafe state.pointee.compression = compression
        guard withKind({ $0.perMessageDeflate.compress != .disable }) else { return }
        traits.insert(.deflates)
        if compression.keepsOutgoingContext { traits.insert(.keepsContext) }
    }
}
