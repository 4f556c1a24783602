/// The path of a route, divided into its segments: `/rooms/:room/files/*`.
package struct RoutePattern: Hashable, Sendable {
    package enum Segment: Hashable, Sendable {
        /// These bytes and no others, percent-decoded.
        case literal([UInt8])
        /// `:name`: any segment that is not empty. A name has letters, digits, `_` and `-`.
        case parameter(String)
        /// `*` or `*name`, the last one: all that is left, with its slashes; nothing, too.
        case rest(String)
    }

    /// The pattern as it was written.
    package let text: String
    package let segments: [Segment]

    /// The names of its parameters in order; that of a `*` without a name is `*`.
    package var parameterNames: [String] {
        segments.compactMap { segment in
            switch segment {
            case .literal: nil
            case .parameter(let name), .rest(let name): name
            }
        }
    }

    /// Reads a pattern.
    /// - Throws: what is wrong with it, in words that follow its text.
    package init(_ text: String) throws(UnfitRoutePattern) {
        guard text.utf8.first == UInt8(ascii: "/") else { throw UnfitRoutePattern("does not begin with a slash") }
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) else {
            throw UnfitRoutePattern("has a query or a fragment: a route is a path")
        }
        self.text = text
        // By bytes, as paths are read: a slash is one also where a combining accent follows it.
        segments = text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map(Segment.init)
        try check()
    }

    private func check() throws(UnfitRoutePattern) {
        for segment in segments.dropLast() {
            if case .rest = segment { throw UnfitRoutePattern("has a * that is not its last segment") }
            if segment == .literal([]) { throw UnfitRoutePattern("has two slashes in a row") }
        }
        let names = parameterNames
        if names.contains("") { throw UnfitRoutePattern("has a parameter without a name") }
        // `:name.json` would take every segment, and be called `name.json`.
        // A lone `*` has none; that of `**` would be `*`.
        let given = text.utf8.suffix(2).elementsEqual("/*".utf8) ? names.dropLast() : names
        if let name = given.first(where: { !$0.utf8.allSatisfy(\.isOfName) }) {
            throw UnfitRoutePattern("has a parameter called \(name): a name has letters, digits, _ and -")
        }
        if Set(names).count < names.count { throw UnfitRoutePattern("has two parameters of one name") }
        if names.count > RouteParameters.capacity {
            throw UnfitRoutePattern("has more than \(RouteParameters.capacity) parameters")
        }
    }
}

extension RoutePattern.Segment {
    fileprivate init(_ text: Substring.UTF8View) {
        switch text.first {
        case UInt8(ascii: ":"): self = .parameter(String(Substring(text.dropFirst())))
        case UInt8(ascii: "*"): self = .rest(text.count == 1 ? "*" : String(Substring(text.dropFirst())))
        default: self = .literal(PercentDecoding.decodedBytes(String(Substring(text))))
        }
    }
}

extension UInt8 {
    /// Whether a parameter's name may have this byte; letters beyond ASCII are welcome.
    fileprivate var isOfName: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), 0x80...:
            true
        default: false
        }
    }
}

/// What is wrong with the path of a route, in words that follow it.
package struct UnfitRoutePattern: Error, Hashable {
    package let reason: String

    init(_ reason: String) { self.reason = reason }
}
