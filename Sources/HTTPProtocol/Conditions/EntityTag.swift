/// The name of one state of a resource (RFC 9110 §8.8.3): `"abc"`, or `W/"abc"` where states that mean the same have it
/// in common.
package struct EntityTag: Hashable, Sendable, CustomStringConvertible {
    package let isWeak: Bool
    /// What stands between the quotes.
    package let opaque: String

    package init(_ opaque: String, isWeak: Bool = false) {
        self.opaque = opaque
        self.isWeak = isWeak
    }

    /// The tag of a file: of its length and the moment of its last change.
    /// - Parameter isSettled: whether that is so long ago that another change would show.
    package init(byteCount: Int, modified seconds: Int, _ nanoseconds: Int, isSettled: Bool) {
        let parts = [byteCount, seconds, nanoseconds].map { String($0, radix: 16) }
        self.init(parts.joined(separator: "-"), isWeak: !isSettled)
    }

    /// As it is sent.
    package var description: String { (isWeak ? "W/" : "") + "\"\(opaque)\"" }

    /// Whether two tags name the same bytes (RFC 9110 §8.8.3.2).
    package func isStrongly(_ other: EntityTag) -> Bool { !isWeak && !other.isWeak && opaque == other.opaque }

    /// Whether two tags name states that mean the same.
    package func isWeakly(_ other: EntityTag) -> Bool { opaque == other.opaque }
}

/// What `If-Match` and `If-None-Match` hold (RFC 9110 §13.1.1, §13.1.2).
package enum EntityTagList: Hashable, Sendable {
    /// `*`: any state there is.
    case any
    case tags([EntityTag])

    /// Nil for what is neither.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        if bytes == [UInt8(ascii: "*")] {
            self = .any
            return
        }
        var tags: [EntityTag] = []
        var rest = bytes[...]
        while true {
            rest = rest.drop { $0.isBlank || $0 == UInt8(ascii: ",") }
            guard !rest.isEmpty else { break }
            guard let tag = Self.takeTag(from: &rest) else { return nil }
            tags.append(tag)
            rest = rest.drop(while: \.isBlank)
            guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { return nil }
        }
        guard !tags.isEmpty else { return nil }
        self = .tags(tags)
    }

    private static func takeTag(from rest: inout ArraySlice<UInt8>) -> EntityTag? {
        let isWeak = rest.starts(with: "W/".utf8)
        if isWeak { rest = rest.dropFirst(2) }
        guard rest.popFirst() == UInt8(ascii: "\"") else { return nil }
        let opaque = rest.prefix { $0 != UInt8(ascii: "\"") }
        // `etagc`: no blanks, no control characters.
        guard opaque.allSatisfy({ $0 > UInt8.space && $0 != 0x7F }) else { return nil }
        rest = rest.dropFirst(opaque.count)
        guard rest.popFirst() != nil else { return nil }
        return EntityTag(String(decoding: opaque, as: UTF8.self), isWeak: isWeak)
    }

    /// Whether one of them names `tag`.
    package func contains(where matches: (EntityTag) -> Bool) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains(where: matches)
        }
    }
}
