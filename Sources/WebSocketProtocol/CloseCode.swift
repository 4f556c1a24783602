/// The status code of a Close frame (RFC 6455 §7.4 and the IANA registry).
public struct CloseCode: RawRepresentable, Hashable, Sendable {
    /// The number as the registry has it; a frame carries it in network byte order (§5.5.1).
    public let rawValue: UInt16

    /// The code of any number; `isSendable` says whether it may stand in a frame.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// What the connection was for is done.
    public static let normalClosure = CloseCode(rawValue: 1000)
    /// A server stops, or a page is left.
    public static let goingAway = CloseCode(rawValue: 1001)
    /// The peer broke the rules of RFC 6455.
    public static let protocolError = CloseCode(rawValue: 1002)
    /// A kind of data that this endpoint does not take.
    public static let unsupportedData = CloseCode(rawValue: 1003)
    /// Never on the wire: how a Close frame without a code is reported.
    public static let noStatusReceived = CloseCode(rawValue: 1005)
    /// Never on the wire: how a connection is reported that ends without a Close frame.
    public static let abnormalClosure = CloseCode(rawValue: 1006)
    /// A message that does not fit its type, such as text that is not UTF-8.
    public static let invalidPayload = CloseCode(rawValue: 1007)
    /// A rule of this endpoint was broken for which there is no other code.
    public static let policyViolation = CloseCode(rawValue: 1008)
    /// A message over the limit.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// A client misses an extension that the server did not grant.
    public static let mandatoryExtension = CloseCode(rawValue: 1010)
    /// The server failed.
    public static let internalError = CloseCode(rawValue: 1011)
    /// The server restarts: connect again, after a random delay.
    public static let serviceRestart = CloseCode(rawValue: 1012)
    /// The server has too much to do.
    public static let tryAgainLater = CloseCode(rawValue: 1013)
    /// A gateway got a bad answer from behind.
    public static let badGateway = CloseCode(rawValue: 1014)
    /// Never on the wire: how a connection is reported that TLS refused.
    public static let tlsHandshakeFailure = CloseCode(rawValue: 1015)

    /// Whether the code may stand in a Close frame: 1000–1003, 1007–1014 and the private ranges 3000–4999. The others
    /// are reserved, unassigned, or mean something that no frame said (§7.4.1, §7.4.2).
    public var isSendable: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

extension CloseCode: ExpressibleByIntegerLiteral {
    /// A code written as the RFC and the registry write it: `1013`.
    public init(integerLiteral value: UInt16) { self.init(rawValue: value) }
}

extension CloseCode: CustomStringConvertible {
    /// The number and, where the code is registered, its meaning: `1002 protocol error`.
    public var description: String {
        guard let meaning else { return "\(rawValue)" }
        return "\(rawValue) \(meaning)"
    }

    private var meaning: String? {
        switch self {
        case .normalClosure: "normal closure"
        case .goingAway: "going away"
        case .protocolError: "protocol error"
        case .unsupportedData: "unsupported data"
        case .noStatusReceived: "no status received"
        case .abnormalClosure: "abnormal closure"
        case .invalidPayload: "invalid payload"
        case .policyViolation: "policy violation"
        case .messageTooBig: "message too big"
        case .mandatoryExtension: "mandatory extension"
        case .internalError: "internal error"
        case .serviceRestart: "service restart"
        case .tryAgainLater: "try again later"
        case .badGateway: "bad gateway"
        case .tlsHandshakeFailure: "TLS handshake failure"
        default: nil
        }
    }
}
