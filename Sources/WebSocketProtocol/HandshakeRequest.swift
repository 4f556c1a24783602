/// What a server has to know of an HTTP request to judge it as a WebSocket handshake (RFC 6455 §4.2.1).
///
/// A header that came several times is given with its values joined by commas, except in `subprotocols`, which takes
/// them as they are. One that did not come is nil or empty.
public struct HandshakeRequest: Hashable, Sendable {
    /// The method as it was sent: `GET`.
    public var method: String
    /// Whether the request is of HTTP/1.1 and not of 1.0.
    public var isHTTP11: Bool
    /// `Host`.
    public var host: String?
    /// `Upgrade`: a list of protocols.
    public var upgrade: String?
    /// `Connection`: a list of tokens.
    public var connection: String?
    /// `Sec-WebSocket-Key`.
    public var key: String?
    /// `Sec-WebSocket-Version`.
    public var version: String?
    /// The values of `Sec-WebSocket-Protocol`: each a name or a comma list of names, those the client likes best first.
    public var subprotocols: [String]
    /// `Origin`, which browsers send.
    public var origin: String?
    /// `Sec-WebSocket-Extensions`.
    public var extensions: String?
    /// Whether the request announces a body, which no handshake has.
    public var hasBody: Bool
    /// Whether it is an extended CONNECT of HTTP/2 for `websocket` (RFC 8441), given as the GET that it stands for: the
    /// protocol itself tells it from all other requests, so that there is no key.
    public var isExtendedConnect: Bool

    /// A request with these headers and no others.
    public init(
        method: String, isHTTP11: Bool = true, host: String? = nil, upgrade: String? = nil, connection: String? = nil,
        key: String? = nil, version: String? = nil, subprotocols: [String] = [], origin: String? = nil,
        extensions: String? = nil, hasBody: Bool = false, isExtendedConnect: Bool = false
    ) {
        self.method = method
        self.isHTTP11 = isHTTP11
        self.host = host
        self.upgrade = upgrade
        self.connection = connection
        self.key = key
        self.version = version
        self.subprotocols = subprotocols
        self.origin = origin
        self.extensions = extensions
        self.hasBody = hasBody
        self.isExtendedConnect = isExtendedConnect
    }
}
