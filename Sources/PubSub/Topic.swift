/// The name of a channel that sockets subscribe to and anyone publishes to: any non-empty string up to 1 KiB of UTF-8.
///
/// A literal makes one: `socket.subscribe("room/\(number)")`. Topics compare as strings do, canonically equivalent
/// spellings are one topic. Making one costs what its string costs.
public struct Topic: Hashable, Sendable {
    /// The name as it was given.
    public let name: String

    /// The topic of that name; `isValid` says whether it can be subscribed to.
    public init(_ name: String) { self.name = name }

    /// Whether the name is neither empty nor too long. O(1).
    public var isValid: Bool {
        let byteCount = name.utf8.count
        return byteCount > 0 && byteCount <= Self.maxByteCount
    }

    /// The most bytes of UTF-8 that the name of a topic may have.
    public static let maxByteCount = 1_024
}

extension Topic: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// The topic that a literal names.
    public init(stringLiteral name: String) { self.init(name) }
}

extension Topic: CustomStringConvertible {
    /// The name.
    public var description: String { name }
}

extension Topic {
    /// The loop that numbers the topic's messages where they have one order for everybody: a function of the name's
    /// spelling and the number of loops, alike in every process.
    package func home(among loopCount: Int) -> Int {
        // FNV-1a leaves the last bytes, which tell rooms apart, in few bits, so that its result is mixed.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
        return Int((hash ^ hash >> 33) % UInt64(loopCount))
    }
}
