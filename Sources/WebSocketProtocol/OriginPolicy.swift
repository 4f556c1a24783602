/// Which web pages may open a connection (RFC 6455 §10.2).
///
/// Browsers send an `Origin` with every handshake, other clients usually none; and a client that is not a browser can
/// send what it likes. So a request without `Origin` passes every policy: a policy protects from web pages only.
@nonexhaustive public enum OriginPolicy: Hashable, Sendable {
    /// Pages of this very host and port. The scheme does not matter, since a proxy in front may speak TLS.
    case sameOrigin
    /// Pages of these origins, written as browsers do: `https://example.com`, `http://localhost:8080`. Case is ignored.
    case allow([String])
    /// All pages.
    case any

    /// Whether a handshake with these headers may go on.
    public func permits(origin: String?, host: String?) -> Bool {
        guard let origin else { return true }
        switch self {
        case .any: return true
        case .allow(let origins): return origins.contains { FieldValue.equal($0.utf8, origin.utf8) }
        case .sameOrigin:
            // `null`, which sandboxed pages send, has no host and is refused with all else that has none.
            guard let host, let authority = Self.authority(of: origin) else { return false }
            return FieldValue.equal(Self.withoutDefaultPort(authority).utf8, Self.withoutDefaultPort(host[...]).utf8)
        }
    }

    /// What follows `scheme://`; nil where there is no scheme, or nothing behind it.
    private static func authority(of origin: String) -> Substring? {
        guard let colon = origin.firstIndex(of: ":"), colon > origin.startIndex else { return nil }
        let rest = origin[origin.index(after: colon)...]
        guard rest.hasPrefix("//"), rest.utf8.count > 2 else { return nil }
        return rest.dropFirst(2)
    }

    /// The ports of `http` and `https` are both left out, as browsers leave out their scheme's: on which of the two a
    /// proxy in front was asked is not known here.
    private static func withoutDefaultPort(_ authority: Substring) -> Substring {
        for port in [":80", ":443"] where authority.hasSuffix(port) { return authority.dropLast(port.count) }
        return authority
    }
}
