/// What a peer did wrong: `reason` says each case in words, `closeCode` what the connection is closed with.
public enum ProtocolViolation: UInt8, Error, Hashable, Sendable, CaseIterable {
    // The first two bytes of a header (RFC 6455 §5.1, §5.2, §5.4, §5.5).
    case reservedBits
    case reservedOpcode
    case fragmentedControlFrame
    case controlFrameTooLong
    case unmaskedFrame
    case maskedFrame
    case unexpectedContinuation
    case interruptedMessage
    // The length (§5.2) and what this side is willing to take.
    case nonMinimalLength
    case negativeLength
    case messageTooBig
    case tooManyEmptyFragments
    // The payload (§5.5.1, §7.4, §8.1).
    case truncatedCloseCode
    case illegalCloseCode
    case invalidText
    case invalidCloseReason
    // A compressed payload (RFC 7692 §7.2.2).
    case invalidDeflate

    /// The code to close the connection with (§7.4.1).
    public var closeCode: CloseCode {
        switch self {
        case .messageTooBig: .messageTooBig
        case .tooManyEmptyFragments: .policyViolation
        case .invalidText, .invalidCloseReason, .invalidDeflate: .invalidPayload
        default: .protocolError
        }
    }

    /// A short sentence for the Close frame and for logs, in ASCII.
    public var reason: String {
        switch self {
        case .reservedBits: "a reserved bit is set"
        case .reservedOpcode: "reserved opcode"
        case .fragmentedControlFrame: "a control frame is fragmented"
        case .controlFrameTooLong: "a control frame is longer than 125 bytes"
        case .unmaskedFrame: "a client's frame is not masked"
        case .maskedFrame: "a server's frame is masked"
        case .unexpectedContinuation: "a continuation without a message to continue"
        case .interruptedMessage: "a new message inside a fragmented one"
        case .nonMinimalLength: "a length is not encoded in the fewest bytes"
        case .negativeLength: "the top bit of a length is set"
        case .messageTooBig: "message too big"
        case .tooManyEmptyFragments: "too many empty fragments"
        case .truncatedCloseCode: "a close code of one byte"
        case .illegalCloseCode: "illegal close code"
        case .invalidText: "text is not valid UTF-8"
        case .invalidCloseReason: "a close reason is not valid UTF-8"
        case .invalidDeflate: "a compressed message cannot be decompressed"
        }
    }
}
