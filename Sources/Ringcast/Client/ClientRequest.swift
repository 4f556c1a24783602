import HTTPProtocol
public import HTTPTypes
public import Reactor
import WebSocketProtocol

/// What a client asks for: which server and how.
///
/// What bounds the socket once it is open stands in its handlers' `WebSocketOptions`.
public struct ClientRequest: Sendable {
    /// The server, and what to ask it for.
    public var url: WebSocketURL
    /// Headers added to the request. A `Host` takes the place of the URL's; those that belong to the handshake are left
    /// out.
    public var headers: HTTPFields
    /// The subprotocols to ask for, the one liked best first.
    public var subprotocols: [String] = []
    /// How long all of it may take: name resolution, connection, TLS, redirects and the answer. Positive.
    public var handshakeTimeout = Duration.seconds(10)
    /// How many redirects (301, 302, 303, 307, 308) are followed. At another host, port or scheme the server does not
    /// get `Authorization`, `Proxy-Authorization`, `Cookie`, the URL's user and password, or `Host`; it gets all else,
    /// `tls` with its certificate among it. None leads from `wss` to `ws`.
    public var maxRedirects = 0
    /// Whom to believe, and what to show, over `wss`.
    public var tls = TLSClientConfiguration()
    /// The proxy to go through, except to a Unix socket.
    public var proxy: HTTPProxy?
    /// A numeric local address to bind to, such as `127.0.0.2`; nil leaves it to the kernel.
    public var localAddress: String?

    /// A request with the defaults, but for its headers; see each property.
    public init(_ url: WebSocketURL, headers: HTTPFields = [:]) {
        self.url = url
        self.headers = headers
    }

    /// A request with the defaults, but for its headers; see each property.
    /// - Throws: `.invalidURL`.
    public init(_ url: String, headers: HTTPFields = [:]) throws(WebSocketClientError) {
        self.init(try WebSocketURL(url), headers: headers)
    }
}

extension ClientRequest {
    /// What makes no sense in it, in one sentence; nil: nothing. What is wrong with its parts is said where they are
    /// used.
    var objection: String? {
        if handshakeTimeout <= .zero { return "handshakeTimeout is \(handshakeTimeout): it must be positive" }
        if maxRedirects < 0 { return "maxRedirects is \(maxRedirects): it cannot be negative" }
        return nil
    }

    private static let host = HTTPField.Name("Host")!

    /// The bytes that ask for a WebSocket at `url`.
    /// - Parameter isRedirected: whether that is another server than the user meant, which does not get what may be
    ///   secret.
    func encoded(
        for handshake: ClientHandshake, at url: WebSocketURL, isRedirected: Bool
    ) throws(WebSocketClientError) -> [UInt8] {
        for name in handshake.subprotocols where !ClientHandshake.isSubprotocol(name) {
            throw .invalidRequest("\"\(name)\" is not a subprotocol: they are words without spaces (RFC 6455 §4.1)")
        }
        var fields = headers
        if isRedirected {
            for name in [HTTPField.Name.authorization, .proxyAuthorization, .cookie, Self.host] { fields[name] = nil }
        }
        if let userInfo = url.userInfo, fields[.authorization] == nil {
            fields[.authorization] = BasicCredentials(userInfo: userInfo).fieldValue
        }
        var output: [UInt8] = []
        do {
            try RequestEncoder.encodeUpgrade(
                target: url.target, host: url.hostField, key: handshake.key, subprotocols: handshake.subprotocols,
                extensions: handshake.perMessageDeflate.offer, fields: fields, into: &output)
        } catch {
            throw .invalidRequest("\(error)")
        }
        return output
    }

    /// The local address to bind to, if there is one.
    func source() throws(WebSocketClientError) -> ConnectAddress? {
        guard let localAddress else { return nil }
        guard let address = ConnectAddress(host: localAddress, port: 0) else {
            throw .invalidRequest("\(localAddress) is not an IP address to bind to")
        }
        return address
    }
}
