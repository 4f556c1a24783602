import HTTPProtocol
import HTTPTypes
public import PubSub
public import WebSocketProtocol

/// When a client connects again, and after what time: exponential backoff with full jitter, so that the clients of a
/// server that was away do not come back all at once. Times and numbers that make no sense are `.invalidRequest` where
/// the policy is used.
public struct ReconnectPolicy: Sendable {
    /// The longest wait before the first new attempt; it doubles with each attempt that follows. Positive.
    public var initialDelay: Duration
    /// The longest wait at all: `initialDelay` or more.
    public var maxDelay: Duration
    /// How long a socket has to last to be a success, behind which the next wait is short again.
    public var stableTime: Duration
    /// So many attempts in a row, at least 1, may fail before the last one's error is thrown; nil sets no limit. A
    /// socket that did not last for `stableTime` counts as a failure; the end of one that did does not.
    public var maxAttempts: Int?
    /// Whether a socket that ended with this code is not to be replaced.
    public var isFinal: @Sendable (CloseCode) -> Bool
    /// Whether an attempt that failed like this is not to be repeated.
    public var isFinalError: @Sendable (WebSocketClientError) -> Bool
    /// Finds the position in a message of a topic with history, or nil. Where it is given, each socket behind the first
    /// asks to go on behind the last message that was read: its URL's query says `positionName=position`.
    /// `Position.inJSON` finds what `Stamping.json` has added.
    public var position: (@Sendable (OwnedMessage) -> Position?)?
    /// The name of that item of the query: letters, digits, `-`, `_` and `.`.
    public var positionName: String

    /// The defaults: up to half a second at first, half a minute at most, without end. Closures are called by the task
    /// that reads messages or asks for the next socket.
    public init(
        initialDelay: Duration = .milliseconds(500), maxDelay: Duration = .seconds(30),
        stableTime: Duration = .seconds(10), maxAttempts: Int? = nil,
        isFinal: @escaping @Sendable (CloseCode) -> Bool = ReconnectPolicy.isFinalByDefault,
        isFinalError: @escaping @Sendable (WebSocketClientError) -> Bool = ReconnectPolicy.isFinalErrorByDefault,
        position: (@Sendable (OwnedMessage) -> Position?)? = nil, positionName: String = "after"
    ) {
        self.initialDelay = initialDelay
        self.maxDelay = maxDelay
        self.stableTime = stableTime
        self.maxAttempts = maxAttempts
        self.isFinal = isFinal
        self.isFinalError = isFinalError
        self.position = position
        self.positionName = positionName
    }

    /// Whether a code says that another try would end no better: 1002, 1003, 1007–1010, and of the private ones
    /// 3500–3999 and 4500–4999 do.
    public static func isFinalByDefault(_ code: CloseCode) -> Bool {
        switch code.rawValue {
        case 1002, 1003, 1007...1010, 3500...3999, 4500...4999: true
        default: false
        }
    }

    /// Whether an error says that another try would end no better: what was asked for makes no sense, the answer of
    /// server or proxy is not one, or one of them refuses with a 4xx other than 408, 425 and 429.
    public static func isFinalErrorByDefault(_ error: WebSocketClientError) -> Bool {
        switch error.reason {
        case .invalidURL, .invalidRequest, .invalidHandshake, .invalidProxyAnswer, .badRedirect, .cancelled, .stopped:
            true
        case .refused(let answer), .proxyRefused(let answer):
            answer.status.kind == .clientError
                && ![.requestTimeout, .tooEarly, .tooManyRequests].contains(answer.status)
        case .closed(let code, _): isFinalByDefault(code)
        case .nameNotResolved, .cannotConnect, .timedOut, .connectionLost, .tls: false
        }
    }

    /// How long to wait before a new attempt: a random time from nothing to the bound, each as likely as any other.
    /// - Parameters:
    ///   - failures: attempts in a row that have failed or did not last, from 1.
    ///   - generator: of the random time.
    public func delay(afterFailures failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let factor = 1 << min(max(failures - 1, 0), 30)
        let initialDelay = max(initialDelay, .zero)
        let bound = initialDelay > maxDelay / factor ? maxDelay : initialDelay * factor
        let parts = 1 << 20
        return bound / parts * Int.random(in: 0...parts, using: &generator)
    }

    /// What makes no sense in the policy, in one sentence, if anything does.
    var objection: String? {
        if let objection = Duration.objection(to: [("stableTime", stableTime)]) { return objection }
        if initialDelay <= .zero {
            return "initialDelay is \(initialDelay): it must be positive, or attempts would follow each other at once"
        }
        if maxDelay < initialDelay {
            return "maxDelay is \(maxDelay), and initialDelay \(initialDelay): it cannot be less"
        }
        if let maxAttempts, maxAttempts <= 0 {
            return "maxAttempts is \(maxAttempts): it must be positive, or nil for any number"
        }
        let isName = positionName.utf8.allSatisfy { $0.isUnreserved && $0 != UInt8(ascii: "~") }
        if positionName.isEmpty || !isName {
            return "positionName is \"\(positionName)\": it must be of letters, digits, -, _ and ."
        }
        return nil
    }
}

extension Position {
    /// The position that `Stamping.json` has added to a message; nil where it has added none.
    public static func inJSON(_ message: OwnedMessage) -> Position? {
        guard case .text(let text) = message, text.hasSuffix("\"}") else { return nil }
        // The stamp is the object's last member, and holds neither a quotation mark nor an escape.
        let value = text.utf8.dropLast(2)
        guard let quotation = value.lastIndex(of: UInt8(ascii: "\"")),
            text[..<quotation].hasSuffix("\"position\":")
        else { return nil }
        return Position(String(text[text.index(after: quotation)..<value.endIndex]))
    }
}
