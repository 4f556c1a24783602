import HTTPProtocol
import HTTPTypes
import WebSocketProtocol

/// An HTTP proxy that opens tunnels (`CONNECT`, RFC 9110 §9.3.6), for `ws` as for `wss` (RFC 6455 §4.1).
public struct HTTPProxy: Hashable, Sendable {
    /// A name or an address.
    public var host: String
    /// Where it listens.
    public var port: Int
    /// Sent as basic authentication (RFC 7617).
    public var credentials: BasicCredentials?

    public init(host: String, port: Int, credentials: BasicCredentials? = nil) {
        self.host = host
        self.port = port
        self.credentials = credentials
    }

    /// From `http://user:password@host:port`; the port is 80 unless it says otherwise.
    /// - Throws: `.invalidURL`.
    public init(_ text: String) throws(WebSocketClientError) {
        guard text.hasPrefix("http://") else { throw .invalidURL("a proxy's URL begins with http://") }
        let authority = try Authority(text.dropFirst(7).prefix { $0 != "/" })
        self.init(
            host: authority.host, port: authority.port ?? 80,
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
    public var username: String
    public var password: String

    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }

    /// What stands in front of a URL's host: `user:password`, percent-encoded.
    init(userInfo: String) {
        let parts = userInfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(
            username: PercentDecoding.decoded(String(parts[0])),
            password: parts.count > 1 ? PercentDecoding.decoded(String(parts[1])) : "")
    }

    var fieldValue: String { "Basic " + Base64.encode([UInt8]("\(username):\(password)".utf8)) }
}
