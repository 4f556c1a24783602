extension WebSocketURL {
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
