extension WebSocketURL {
    /// Bytes that stand for themselves anywhere in a URL (RFC 3986 §2.3), but for the tilde.
    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// The URL with one item of the query in place of those of its name. Both are unreserved bytes.
    func setting(queryItem name: String, to value: String) -> WebSocketURL {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let others = (parts.count > 1 ? parts[1].split(separator: "&") : [])
            .filter { $0 != name && !$0.hasPrefix(name + "=") }
        var url = self
        url.target = parts[0] + "?" + (others + ["\(name)=\(value)"]).joined(separator: "&")
        return url
    }
}
