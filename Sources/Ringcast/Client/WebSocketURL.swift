import Reactor

/// Where a WebSocket server is (RFC 6455 §3): `ws://host:port/path?query`, `wss://…`, or
/// `ws+unix:/path/of/socket:/path`.
///
/// `http` and `https` are taken for `ws` and `wss`, since redirects say so. Hosts are ASCII: an international name is
/// written in its `xn--` form, an IPv6 address in brackets, with a zone as `[fe80::1%eth0]` or `[fe80::1%25eth0]`. What
/// a path or query may not hold is percent-encoded; what is encoded already stays as it is. A user and password in
/// front of the host (`ws://ann:secret@host/`) are sent as basic authentication, unless the request has an
/// `Authorization` header.
public struct WebSocketURL: Hashable, Sendable, CustomStringConvertible {
    /// Whether the connection is encrypted.
    public let isSecure: Bool
    /// A name or an address, in lower case and without brackets; empty for a Unix socket.
    public let hostname: String
    /// The port in the URL, else 80 or 443; 0 for a Unix socket.
    public let port: Int
    /// Path and query as they are sent: `/chat?name=Ann`.
    public internal(set) var target: String
    /// The path of the Unix socket, where a leading `@` means an abstract name; nil for TCP.
    public let unixPath: String?
    /// What stood in front of the host, `user:password`: sent as basic authentication.
    let userInfo: String?

    /// A URL from its text.
    /// - Throws: `.invalidURL` with what is wrong.
    public init(_ text: String) throws(WebSocketClientError) {
        var rest = text[...]
        guard let colon = rest.firstIndex(of: ":") else {
            throw .invalidURL("\(text) has no scheme: begin it with ws://")
        }
        let scheme = rest[..<colon].lowercased()
        rest = rest[rest.index(after: colon)...]
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw .invalidURL("the URL holds control characters")
        }
        // As a byte: what combines with the mark behind it makes another character of it.
        guard !text.utf8.contains(UInt8(ascii: "#")) else {
            throw .invalidURL("a WebSocket URL has no fragment (RFC 6455 §3): leave out what follows the #")
        }
        switch scheme {
        case "ws", "http": isSecure = false
        case "wss", "https": isSecure = true
        case "ws+unix":
            self = try Self(unix: rest)
            return
        default: throw .invalidURL("\(scheme) is not a scheme of WebSockets: use ws, wss or ws+unix")
        }
        guard rest.hasPrefix("//") else { throw .invalidURL("\(scheme): is followed by //") }
        rest = rest.dropFirst(2)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = try Authority(rest[..<end])
        hostname = authority.host
        port = authority.port ?? (isSecure ? 443 : 80)
        userInfo = authority.userInfo
        target = Self.target(rest[end...])
        unixPath = nil
    }

    /// What follows `ws+unix:`, which is `/path/of/socket:/request/path`, with or without two slashes in front.
    private init(unix text: Substring) throws(WebSocketClientError) {
        var rest = text.hasPrefix("//") ? text.dropFirst(2) : text
        let end = rest.firstIndex(of: ":") ?? rest.endIndex
        let path = String(rest[..<end])
        rest = rest[end...].dropFirst()
        guard path.hasPrefix("/") || path.hasPrefix("@"), path.utf8.count > 1 else {
            throw .invalidURL("ws+unix: is followed by the path of a socket, a colon, and the path of the request")
        }
        self.init(isSecure: false, hostname: "", port: 0, target: Self.target(rest), unixPath: path, userInfo: nil)
    }

    init(isSecure: Bool, hostname: String, port: Int, target: String, unixPath: String?, userInfo: String?) {
        self.isSecure = isSecure
        self.hostname = hostname
        self.port = port
        self.target = target
        self.unixPath = unixPath
        self.userInfo = userInfo
    }

    /// The URL in its plain form, without the user's name and password.
    public var description: String {
        if let unixPath {
            // Two slashes at its beginning would be taken for the URL's.
            return "ws+unix:" + (unixPath.hasPrefix("//") ? "//" : "") + "\(unixPath):\(target)"
        }
        // A zone that begins with 25 would be taken for an encoded one.
        let hostname = hostname.replacing("%25", with: "%2525")
        return (isSecure ? "wss://" : "ws://") + Self.bracketed(hostname) + portSuffix + target
    }

    /// What the `Host` header says: the port only where it is not the scheme's (RFC 6455 §4.1), a zone never, since it
    /// means something on this machine only (RFC 6874 §4).
    var hostField: String { unixPath != nil ? "localhost" : Self.bracketed(hostnameWithoutZone) + portSuffix }

    /// Host and port, as a proxy is asked for them.
    var authority: String { "\(Self.bracketed(hostnameWithoutZone)):\(port)" }

    /// The name as the server knows it, without a zone.
    var hostnameWithoutZone: String { String(hostname.prefix { $0 != "%" }) }

    private var portSuffix: String { port == (isSecure ? 443 : 80) ? "" : ":\(port)" }

    private static func bracketed(_ hostname: String) -> String {
        hostname.contains(":") ? "[\(hostname)]" : hostname
    }

    /// Path and query, with what they may not hold percent-encoded (RFC 3986 §3.3).
    static func target(_ text: Substring) -> String {
        var encoded: [UInt8] = text.hasPrefix("/") ? [] : [UInt8(ascii: "/")]
        for byte in text.utf8 {
            switch byte {
            case 0x21, 0x23...0x3B, 0x3D, 0x3F...0x5B, 0x5D, 0x5F, 0x61...0x7A, 0x7C, 0x7E: encoded.append(byte)
            default:
                encoded.append(UInt8(ascii: "%"))
                encoded += [hexadecimal(byte >> 4), hexadecimal(byte & 0xF)]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }
}

/// `[user ":" password "@"] host [":" port]` (RFC 3986 §3.2).
struct Authority {
    var userInfo: String?
    var host: String
    var port: Int?

    init(_ text: Substring) throws(WebSocketClientError) {
        var rest = text
        // Browsers take a backslash for a slash, and would see another host here.
        guard !rest.contains("\\") else { throw .invalidURL("\(text) holds a backslash") }
        if let at = rest.lastIndex(of: "@") {
            // Neither name nor password are no user info.
            userInfo = ["", ":"].contains(rest[..<at]) ? nil : String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        if rest.hasPrefix("[") {
            guard let bracket = rest.firstIndex(of: "]") else {
                throw .invalidURL("the bracket of the address stays open")
            }
            host = try Self.address(rest[rest.index(after: rest.startIndex)..<bracket])
            rest = rest[rest.index(after: bracket)...]
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            host = rest[..<end].lowercased()
            rest = rest[end...]
            guard host.utf8.allSatisfy(Self.isOfName) else {
                throw .invalidURL("\(host) is not a host: names are ASCII, international ones begin with xn--")
            }
        }
        guard !host.isEmpty else { throw .invalidURL("the URL has no host") }
        if rest.hasPrefix(":") {
            rest = rest.dropFirst()
        } else if !rest.isEmpty {
            throw .invalidURL("\(text) is no host")
        }
        guard !rest.isEmpty else { return }
        guard rest.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = Int(rest), 1...65_535 ~= port else {
            throw .invalidURL("\(rest) is not a port: 1 to 65535")
        }
        self.port = port
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// An IPv6 address, and behind a percent sign, encoded or not, a zone (RFC 6874 §2, §3).
    private static func address(_ text: Substring) throws(WebSocketClientError) -> String {
        let end = text.firstIndex(of: "%") ?? text.endIndex
        let address = text[..<end].lowercased()
        var zone = text[end...].dropFirst()
        if zone.hasPrefix("25") { zone = zone.dropFirst(2) }
        guard ConnectAddress(host: address, port: 0)?.isIPv6 == true, zone.isEmpty == (end == text.endIndex),
            zone.lowercased().utf8.allSatisfy(isOfName)
        else { throw .invalidURL("[\(text)] is not an IPv6 address") }
        return zone.isEmpty ? address : "\(address)%\(zone)"
    }
}
