import HTTPProtocol
public import HTTPTypes

/// A cookie to be set (RFC 6265 §4.1): `.response(.ok, "welcome").setting(SetCookie("session", token)!)`, or among the
/// headers of an upgrade: `headers.append(cookie.field)`. `Request.cookie(_:)` reads it again.
public struct SetCookie: Hashable, Sendable {
    /// The cookie's name.
    public let name: String
    /// The cookie's value.
    public let value: String
    /// The path that it is sent with, and with all below it.
    public let path: String
    /// The host that gets it with all its subdomains; nil for the server's host alone.
    public let domain: String?
    /// How long it lives, in whole seconds: zero or less takes it away, nil keeps it until the browser ends.
    public var maxAge: Duration?
    /// Whether it is sent over TLS only. Browsers take `sameSite: .none` only with it.
    public var isSecure: Bool
    /// Whether scripts of the page are kept from it.
    public var isHTTPOnly: Bool
    /// With which requests from other sites' pages it comes.
    public var sameSite: SameSite

    /// With which requests from other sites' pages a cookie comes.
    public enum SameSite: String, Hashable, Sendable {
        /// With no such request, not even by a link that leads here.
        case strict = "Strict"
        /// With links that lead here, and not with what pages ask for by themselves, WebSockets included.
        case lax = "Lax"
        /// With every such request.
        case none = "None"
    }

    /// A cookie for this host, kept from scripts and from other sites' pages unless it is said otherwise. Nil where the
    /// name is no token, or value, path or domain hold what would end them (controls, spaces, quotes, commas,
    /// semicolons, backslashes, what is not ASCII; path and domain may hold all but controls and semicolons): encode
    /// such a value.
    public init?(
        _ name: String, _ value: String, path: String = "/", domain: String? = nil, maxAge: Duration? = nil,
        isSecure: Bool = true, isHTTPOnly: Bool = true, sameSite: SameSite = .lax
    ) {
        guard HTTPField.Name(name) != nil, value.utf8.allSatisfy(Self.isCookieOctet),
            (path + (domain ?? "")).utf8.allSatisfy({ 0x20..<0x7F ~= $0 && $0 != UInt8(ascii: ";") })
        else { return nil }
        self.name = name
        self.value = value
        self.path = path
        self.domain = domain
        self.maxAge = maxAge
        self.isSecure = isSecure
        self.isHTTPOnly = isHTTPOnly
        self.sameSite = sameSite
    }

    /// The header field that sets the cookie.
    public var field: HTTPField {
        var text = "\(name)=\(value); Path=\(path)"
        if let domain { text += "; Domain=\(domain)" }
        if let maxAge { text += "; Max-Age=\(max(0, maxAge.components.seconds))" }
        if isSecure { text += "; Secure" }
        if isHTTPOnly { text += "; HttpOnly" }
        return HTTPField(name: .setCookie, value: text + "; SameSite=\(sameSite.rawValue)")
    }

    /// `cookie-octet` of RFC 6265 §4.1.1.
    private static func isCookieOctet(_ byte: UInt8) -> Bool {
        0x21..<0x7F ~= byte && !#"",;\"#.utf8.contains(byte)
    }
}

extension Reply {
    /// The reply with a cookie set, beside those that it sets already; a deferred one when it comes. Costs a copy of
    /// the headers.
    public func setting(_ cookie: SetCookie) -> Reply { changing { $0.append(cookie.field) } }
}
