/// The name of a channel that sockets subscribe to and anyone publishes to: any non-empty string up to 1 KiB of UTF-8.
///
/// A literal makes one: `socket.subscribe("room/\(number)")`. Topics compare as strings do, canonically equivalent
/// spellings are one topic. Making one costs what its string costs.
public struct Topic: Hashable, Sendable {
    /// The name as it was given.
    public let name: String

    /// Any string; `isValid` says whether it can be subscribed to.
    public init(_ name: String) {
        self.name = name
    }

    /// Whether the name is neither empty nor too long. O(1).
    public var isValid: Bool {
        let byteCount = name.utf8.count
        return byteCount > 0 && byteCount <= Self.maximumByteCount
    }

    /// Bytes of UTF-8.
    public static let maximumByteCount = 1_024
}

extension Topic: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// A literal is taken as it is.
    public init(stringLiteral name: String) {
        self.init(name)
    }
}

extension Topic: CustomStringConvertible {
    /// The name.
    public var description: String { name }
}
