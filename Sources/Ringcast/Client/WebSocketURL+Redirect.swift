extension WebSocketURL {
    /// Where a `Location` leads from here: an absolute URL, or a reference (RFC 3986 §5.2). Nil: nowhere that a
    /// WebSocket may go.
    ///
    /// A redirect never leaves encryption, and never leads to a Unix socket.
    func redirected(to location: String) -> WebSocketURL? {
        let location = location.prefix { $0 != "#" }
        let target: WebSocketURL?
        if location.hasPrefix("//") {
            target = try? WebSocketURL((isSecure ? "wss:" : "ws:") + location)
        } else if let colon = location.firstIndex(where: { ":/?".contains($0) }), location[colon] == ":" {
            target = try? WebSocketURL(String(location))
        } else {
            target = withTarget(Self.target(Self.withoutDots(merged(with: location))))
        }
        guard let target, target.unixPath == unixPath, target.isSecure || !isSecure else { return nil }
        guard target.userInfo == nil, target.hasSameOrigin(as: self) else { return target }
        return target.with(userInfo: userInfo)
    }

    /// Whether the other one is at the same host, port and kind of connection: headers that carry secrets may go there.
    func hasSameOrigin(as other: WebSocketURL) -> Bool {
        isSecure == other.isSecure && host == other.host && port == other.port && unixPath == other.unixPath
    }

    private func with(userInfo: String?) -> WebSocketURL {
        WebSocketURL(
            isSecure: isSecure, host: host, port: port, target: target, unixPath: unixPath, userInfo: userInfo)
    }

    private func withTarget(_ target: String) -> WebSocketURL {
        WebSocketURL(
            isSecure: isSecure, host: host, port: port, target: target, unixPath: unixPath, userInfo: userInfo)
    }

    /// RFC 3986 §5.2.3.
    private func merged(with reference: Substring) -> Substring {
        if reference.hasPrefix("/") { return reference }
        let path = target.prefix { $0 != "?" }
        if reference.isEmpty { return target[...] }
        if reference.hasPrefix("?") { return path + reference }
        guard let slash = path.lastIndex(of: "/") else { return "/" + reference }
        return path[...slash] + reference
    }

    /// RFC 3986 §5.2.4.
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
