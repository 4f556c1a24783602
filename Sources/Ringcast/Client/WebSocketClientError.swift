public import HTTPTypes
public import WebSocketProtocol

/// Why there is no WebSocket, or none any more.
public enum WebSocketClientError: Error, Hashable, Sendable {
    /// What is wrong with the URL.
    case invalidURL(String)
    /// What is wrong with the request: a header that cannot be sent, a subprotocol that is no token, ….
    case invalidRequest(String)
    /// The resolver's words.
    case nameNotResolved(host: String, String)
    /// Every address of the host has been tried: the last one's error.
    case cannotConnect(to: String, String)
    /// The handshake timeout is over.
    case timedOut(HandshakePhase)
    /// TLS could not be set up, or the server's certificate is not believed: why.
    case tls(String)
    /// The server has answered with something else than 101.
    case refused(RefusedHandshake)
    /// The proxy has not opened the tunnel.
    case proxyRefused(RefusedHandshake)
    /// The proxy's answer is not HTTP, or does not end where it should: what is wrong with it.
    case invalidProxyAnswer(String)
    /// The answer is not one that may be accepted (RFC 6455 §4.1): what is wrong with it.
    case invalidHandshake(String)
    /// More redirects than the request allows, or one that leads nowhere: where it leads.
    case badRedirect(String)
    /// The connection ended before the answer was complete.
    case connectionLost(HandshakePhase)
    /// The attempt was cancelled.
    case cancelled
    /// The client's loops have been stopped, or could not be made: why.
    case stopped(String)
    /// The WebSocket is closed.
    case closed(CloseCode, reason: String)
}

/// What a client was waiting for.
public enum HandshakePhase: String, Hashable, Sendable {
    case nameResolution = "name resolution"
    case connection
    case proxy = "the proxy's answer"
    case tls = "the TLS handshake"
    case answer = "the server's answer"
}

/// What a server answered instead of 101.
public struct RefusedHandshake: Hashable, Sendable {
    /// The HTTP status.
    public var status: Int
    /// The words behind it.
    public var reason: String
    /// Its header fields.
    public var headers: HTTPFields
    /// The first bytes of its body, 1,024 at most.
    public var body: [UInt8]

    /// What a client's errors carry; public for tests of its users.
    public init(status: Int, reason: String, headers: HTTPFields = [:], body: [UInt8] = []) {
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body
    }

    /// The same as text; what is not UTF-8 is repaired.
    public var bodyText: String { String(decoding: body, as: UTF8.self) }
}

extension WebSocketClientError: CustomStringConvertible {
    /// One sentence for logs and terminals.
    public var description: String {
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
    /// The status, and the first line of the body.
    public var description: String {
        let line = bodyText.prefix { !$0.isNewline }.prefix(200)
        return "\(status) \(reason)" + (line.isEmpty ? "" : ": \(line)")
    }
}
