extension WebSocketURL {
    /// Where a `Location`, an absolute URL or a reference (RFC 3986 §5.2), leads from here; nil where that is nowhere
    /// that a WebSocket may go.
    ///
    /// A redirect never leaves encryption, and never leads to a Unix socket.
    func redirected(to location: String) -> WebSocketURL? {
        let location = Substring(location.unicodeScalars.prefix { $0 != "#" })
        let target: WebSocketURL?
        if location.hasPrefix("//") {
            target = try? WebSocketURL((isSecure ? "wss:" : "ws:") + location)
        } else if let colon = location.firstIndex(where: { ":/?".contains($0) }), location[colon] == ":" {
            target = try? WebSocketURL(String(location))
        } else {
            target = with(target: Self.target(Self.withoutDots(merged(with: location))), userInfo: userInfo)
        }
        guard let target, target.unixPath == unixPath, target.isSecure || !isSecure else { return nil }
        guard target.userInfo == nil, target.hasSameOrigin(as: self) else { return target }
        return target.with(target: target.target, userInfo: userInfo)
    }

    /// Whether both lead to one host and port by one kind of connection, so that secrets for one may go to the other.
    func hasSameOrigin(as other: WebSocketURL) -> Bool {
        isSecure == other.isSecure && hostname == other.hostname && port == other.port && unixPath == other.unixPath
    }

    private func with(target: String, userInfo: String?) -> WebSocketURL {
        WebSocketURL(
            isSecure: isSecure, hostname: hostname, port: port, target: target, unixPath: unixPath,
            userInfo: userInfo)
    }

    /// A relative reference on the path that it is relative to (RFC 3986 §5.2.3).
    private func merged(with reference: Substring) -> Substring {
        if reference.hasPrefix("/") { return reference }
        let path = target.prefix { $0 != "?" }
        if reference.isEmpty { return target[...] }
        if reference.hasPrefix("?") { return path + reference }
        guard let slash = path.lastIndex(of: "/") else { return "/" + reference }
        return path[...slash] + reference
    }

    /// A path without its dot segments (RFC 3986 §5.2.4), and the query behind it.
    private static func withoutDots(_ text: Substring) -> Substring {
        let path = text.prefix { $0 != "?" }
        var segments: [Substring] = []
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            switch part {
            case ".": if isLast { segments.append("") }
            case "..":
                _ = segments.popLast()
                if isLast { segments.append("") }
            default: segments.append(part)
            }
        }
        return "/" + segments.joined(separator: "/") + text[path.endIndex...]
    }
}
