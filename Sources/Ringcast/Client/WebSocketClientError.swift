public import HTTPTypes
public import WebSocketProtocol

/// Why there is no WebSocket, or none any more: a `code` to be switched on, and what belongs to it.
///
///     switch error.code {
///     case .refused: print(error.answer?.status)
///     case .cannotConnect, .timedOut: print("try again later: \(error)")
///     default: print("\(error)")
///     }
public struct WebSocketClientError: Error, Hashable, Sendable {
    let reason: Reason

    /// What happened, with all that is known of it. Not public: a case more, or one more value in a case, would break
    /// callers.
    enum Reason: Hashable, Sendable {
        case invalidURL(String)
        case invalidRequest(String)
        case nameNotResolved(hostname: String, String)
        case cannotConnect(to: String, String)
        case timedOut(HandshakePhase)
        case tls(String)
        case refused(RefusedHandshake)
        case proxyRefused(RefusedHandshake)
        case invalidProxyAnswer(String)
        case invalidHandshake(String)
        case badRedirect(String)
        case connectionLost(HandshakePhase)
        case cancelled
        case stopped(String)
        case closed(CloseCode, reason: String)
    }

    /// A kind of error, to be switched on. More may come: a `switch` needs a `default`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, for logs.
        public let name: String
        /// As `name`.
        public var description: String { name }
    }
}

extension WebSocketClientError.Code {
    /// A URL that cannot be used.
    public static let invalidURL = Self(name: "invalidURL")
    /// A request that cannot be sent: a header, a subprotocol that is no token, ….
    public static let invalidRequest = Self(name: "invalidRequest")
    /// A host whose name has no addresses.
    public static let nameNotResolved = Self(name: "nameNotResolved")
    /// A host none of whose addresses can be connected to.
    public static let cannotConnect = Self(name: "cannotConnect")
    /// The end of the handshake timeout; `phase` is what was waited for.
    public static let timedOut = Self(name: "timedOut")
    /// TLS that cannot be set up, or a certificate that is not believed.
    public static let tls = Self(name: "tls")
    /// A server that answers something else than 101: `answer`.
    public static let refused = Self(name: "refused")
    /// A proxy that does not open the tunnel: `answer`.
    public static let proxyRefused = Self(name: "proxyRefused")
    /// A proxy's answer that is not HTTP, or does not end where it should.
    public static let invalidProxyAnswer = Self(name: "invalidProxyAnswer")
    /// A server's answer that may not be accepted (RFC 6455 §4.1).
    public static let invalidHandshake = Self(name: "invalidHandshake")
    /// A redirect beyond those that the request allows, or one that leads nowhere.
    public static let badRedirect = Self(name: "badRedirect")
    /// A connection that ended before the answer was complete; `phase` is what was waited for.
    public static let connectionLost = Self(name: "connectionLost")
    /// A task, or an attempt, that was cancelled.
    public static let cancelled = Self(name: "cancelled")
    /// Loops that have been stopped, or could not be made.
    public static let stopped = Self(name: "stopped")
    /// A WebSocket that is closed: `closeCode` and `closeReason`.
    public static let closed = Self(name: "closed")
}

extension WebSocketClientError {
    /// What kind of thing went wrong.
    public var code: Code {
        switch reason {
        case .invalidURL: .invalidURL
        case .invalidRequest: .invalidRequest
        case .nameNotResolved: .nameNotResolved
        case .cannotConnect: .cannotConnect
        case .timedOut: .timedOut
        case .tls: .tls
        case .refused: .refused
        case .proxyRefused: .proxyRefused
        case .invalidProxyAnswer: .invalidProxyAnswer
        case .invalidHandshake: .invalidHandshake
        case .badRedirect: .badRedirect
        case .connectionLost: .connectionLost
        case .cancelled: .cancelled
        case .stopped: .stopped
        case .closed: .closed
        }
    }

    /// What is wrong, in the words of whoever found out; nil where the code says it all.
    public var detail: String? {
        switch reason {
        case .invalidURL(let what), .invalidRequest(let what), .nameNotResolved(_, let what),
            .cannotConnect(_, let what), .tls(let what), .invalidProxyAnswer(let what), .invalidHandshake(let what),
            .badRedirect(let what), .stopped(let what):
            what
        default: nil
        }
    }

    /// The host whose name has no addresses, or the address that was tried last.
    public var address: String? {
        switch reason {
        case .nameNotResolved(let address, _), .cannotConnect(let address, _): address
        default: nil
        }
    }

    /// What a server or a proxy answered that refused.
    public var answer: RefusedHandshake? {
        switch reason {
        case .refused(let answer), .proxyRefused(let answer): answer
        default: nil
        }
    }

    /// What was waited for when the time was over, or the connection ended.
    public var phase: HandshakePhase? {
        switch reason {
        case .timedOut(let phase), .connectionLost(let phase): phase
        default: nil
        }
    }

    /// What the WebSocket was closed with.
    public var closeCode: CloseCode? {
        if case .closed(let code, _) = reason { code } else { nil }
    }

    /// The reason that came with `closeCode`; may be empty.
    public var closeReason: String? {
        if case .closed(_, let text) = reason { text } else { nil }
    }
}

/// What a client waits for on its way to a WebSocket.
@nonexhaustive public enum HandshakePhase: String, Hashable, Sendable {
    /// The host's addresses.
    case nameResolution = "name resolution"
    /// A connection to one of them.
    case connection
    /// The proxy's answer.
    case proxy = "the proxy's answer"
    /// The end of the TLS handshake.
    case tls = "the TLS handshake"
    /// The server's answer.
    case answer = "the server's answer"
}

/// What a server answered instead of 101, or a proxy instead of 2xx.
public struct RefusedHandshake: Hashable, Sendable {
    /// The HTTP status, with the server's words for it in `reasonPhrase`.
    public var status: HTTPResponse.Status
    /// The answer's header fields.
    public var headers: HTTPFields
    /// The first bytes of the answer's body, 1,024 at most.
    public var body: [UInt8]

    /// What a client's errors carry; public for tests of its users.
    public init(status: HTTPResponse.Status, headers: HTTPFields = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// `body` as text; what is not UTF-8 is repaired.
    public var string: String { String(decoding: body, as: UTF8.self) }
}

extension WebSocketClientError: CustomStringConvertible {
    /// One sentence for logs and terminals, on one line: control characters of what the other side has said are
    /// percent-encoded.
    public var description: String { sentence.onOneLine }

    private var sentence: String {
        switch reason {
        case .invalidURL(let what), .invalidRequest(let what), .stopped(let what): what
        case .nameNotResolved(let hostname, let reason): "\(hostname) cannot be resolved: \(reason)"
        case .cannotConnect(let address, let reason): "cannot connect to \(address): \(reason)"
        case .timedOut(let phase): "the handshake timed out during \(phase.rawValue)"
        case .tls(let reason): "no TLS: \(reason)"
        case .refused(let answer): "the server answered \(answer)"
        case .proxyRefused(let answer): "the proxy answered \(answer)"
        case .invalidProxyAnswer(let what): "the proxy's answer cannot be used: \(what)"
        case .invalidHandshake(let what): "the server's answer is not a WebSocket handshake: \(what)"
        case .badRedirect(let location): "the server redirects to \(location), which is not followed"
        case .connectionLost(let phase): "the connection ended during \(phase.rawValue)"
        case .cancelled: "the attempt was cancelled"
        case .closed(let code, let reason): "the WebSocket is closed: \(code)" + (reason.isEmpty ? "" : ", \(reason)")
        }
    }
}

extension RefusedHandshake: CustomStringConvertible {
    /// The status, and the first line of the body, with its control characters percent-encoded.
    public var description: String {
        let line = string.prefix { !$0.isNewline }.prefix(200)
        return ("\(status.code) \(status.reasonPhrase)" + (line.isEmpty ? "" : ": \(line)")).onOneLine
    }
}
