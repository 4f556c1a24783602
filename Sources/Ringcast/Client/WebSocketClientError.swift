public import HTTPTypes
public import WebSocketProtocol

/// Why there is no WebSocket, or none any more.
public enum WebSocketClientError: Error, Hashable, Sendable {
    /// A URL that cannot be used, and what is wrong with it.
    case invalidURL(String)
    /// A request that cannot be sent, and what is wrong with it: a header, a subprotocol that is no token, ….
    case invalidRequest(String)
    /// A host whose name has no addresses, in the resolver's words.
    case nameNotResolved(host: String, String)
    /// A host none of whose addresses can be connected to: the last one, and its error.
    case cannotConnect(to: String, String)
    /// The end of the handshake timeout, and what was waited for.
    case timedOut(HandshakePhase)
    /// TLS that cannot be set up, or a certificate that is not believed, and why.
    case tls(String)
    /// A server that answers something else than 101.
    case refused(RefusedHandshake)
    /// A proxy that does not open the tunnel.
    case proxyRefused(RefusedHandshake)
    /// A proxy's answer that is not HTTP, or does not end where it should, and what is wrong with it.
    case invalidProxyAnswer(String)
    /// A server's answer that may not be accepted (RFC 6455 §4.1), and what is wrong with it.
    case invalidHandshake(String)
    /// A redirect beyond those that the request allows, or one that leads nowhere: its `Location`.
    case badRedirect(String)
    /// A connection that ended before the answer was complete, and what was waited for.
    case connectionLost(HandshakePhase)
    /// A task, or an attempt, that was cancelled.
    case cancelled
    /// Loops that have been stopped, or could not be made, and why.
    case stopped(String)
    /// A WebSocket that is closed, and how it was.
    case closed(CloseCode, reason: String)
}

/// What a client waits for on its way to a WebSocket.
public enum HandshakePhase: String, Hashable, Sendable {
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
    public var bodyText: String { String(decoding: body, as: UTF8.self) }
}

extension WebSocketClientError: CustomStringConvertible {
    /// One sentence for logs and terminals, on one line: control characters of what the other side has said are
    /// percent-encoded.
    public var description: String { sentence.onOneLine }

    private var sentence: String {
        switch self {
        case .invalidURL(let what), .invalidRequest(let what), .stopped(let what): what
        case .nameNotResolved(let host, let reason): "\(host) cannot be resolved: \(reason)"
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
        let line = bodyText.prefix { !$0.isNewline }.prefix(200)
        return ("\(status.code) \(status.reasonPhrase)" + (line.isEmpty ? "" : ": \(line)")).onOneLine
    }
}
