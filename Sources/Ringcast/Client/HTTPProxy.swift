import HTTPProtocol
import HTTPTypes
import WebSocketProtocol

/// An HTTP proxy that opens tunnels (`CONNECT`, RFC 9110 §9.3.6), for `ws` as for `wss` (RFC 6455 §4.1).
public struct HTTPProxy: Hashable, Sendable {
    /// The proxy's name or address.
    public var hostname: String
    /// The port that it listens on.
    public var port: Int
    /// What it gets as basic authentication (RFC 7617), if anything.
    public var credentials: BasicCredentials?

    /// A proxy by its parts.
    public init(hostname: String, port: Int, credentials: BasicCredentials? = nil) {
        self.hostname = hostname
        self.port = port
        self.credentials = credentials
    }

    /// A proxy by its URL, `http://user:password@host:port`: the port is 80 if none is given.
    /// - Throws: `.invalidURL`.
    public init(_ text: String) throws(WebSocketClientError) {
        guard text.hasPrefix("http://") else { throw .invalidURL("a proxy's URL begins with http://") }
        let authority = try Authority(text.dropFirst(7).prefix { $0 != "/" })
        self.init(
            hostname: authority.host, port: authority.port ?? 80,
            credentials: authority.userInfo.map(BasicCredentials.init(userInfo:)))
    }

    /// The bytes that ask for a tunnel.
    func encodedRequest(to authority: String) throws(WebSocketClientError) -> [UInt8] {
        var fields = HTTPFields()
        if let credentials { fields[.proxyAuthorization] = credentials.fieldValue }
        var output: [UInt8] = []
        do {
            try RequestEncoder.encodeConnect(authority: authority, fields: fields, into: &output)
        } catch {
            throw .invalidRequest("\(error)")
        }
        return output
    }
}

/// A name and a password for basic authentication (RFC 7617).
public struct BasicCredentials: Hashable, Sendable {
    /// The name, which must not hold a colon.
    public var username: String
    /// The password.
    public var password: String

    /// Credentials in the clear; they are encoded as UTF-8 when they are sent.
    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }

    /// The credentials in front of a URL's host: `user:password`, percent-encoded.
    init(userInfo: String) {
        let parts = userInfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(
            username: PercentDecoding.decoded(String(parts[0])),
            password: parts.count > 1 ? PercentDecoding.decoded(String(parts[1])) : "")
    }

    /// The value of `Authorization` or `Proxy-Authorization`.
    var fieldValue: String { "Basic " + Base64.encode([UInt8]("\(username):\(password)".utf8)) }
}
