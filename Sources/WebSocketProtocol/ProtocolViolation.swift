/// What a peer did wrong: `reason` says each case in words, `closeCode` what the connection is closed with.
@nonexhaustive public enum ProtocolViolation: UInt8, Error, Hashable, Sendable, CaseIterable {
    // The first two bytes of a header (RFC 6455 §5.1, §5.2, §5.4, §5.5).
    /// RSV1, RSV2 or RSV3 is set, and no extension that was agreed on gives it a meaning.
    case reservedBits
    /// An opcode from 3 to 7 or from 11 to 15.
    case reservedOpcode
    /// A ping, pong or Close without FIN.
    case fragmentedControlFrame
    /// A ping, pong or Close of more than 125 bytes.
    case controlFrameTooLong
    /// A client's frame without a mask.
    case unmaskedFrame
    /// A server's frame with a mask.
    case maskedFrame
    /// A continuation where no message has begun.
    case unexpectedContinuation
    /// A text or binary frame between the fragments of another message.
    case interruptedMessage
    // The length (§5.2) and what this side is willing to take.
    /// A length in more bytes than it needs.
    case nonMinimalLength
    /// A length of 2^63 or more.
    case negativeLength
    /// A message, or what it inflates to, over the limit.
    case messageTooBig
    /// More fragments without a byte in one message than the limit.
    case tooManyEmptyFragments
    // The payload (§5.5.1, §7.4, §8.1).
    /// A Close whose payload is one byte.
    case truncatedCloseCode
    /// A Close with a code that must not be sent, or that nobody has defined.
    case illegalCloseCode
    /// Text that is not UTF-8.
    case invalidText
    /// A reason to close that is not UTF-8.
    case invalidCloseReason
    // A compressed payload (RFC 7692 §7.2.2).
    /// A compressed message that is none, or not a whole one.
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
