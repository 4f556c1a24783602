/// The four bytes a client's payload is masked with (RFC 6455 §5.3).
///
/// `rawValue` holds them as they lie in memory, so that they can be loaded, repeated and XORed without swapping: the
/// byte with the lowest address masks first. Any random 32 bits make a key.
public struct MaskingKey: RawRepresentable, Hashable, Sendable {
    /// The four bytes, as they lie in memory.
    public let rawValue: UInt32

    /// Any 32 bits; a client draws new ones for every frame (§5.3).
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The key for what follows `count` masked bytes.
    @inlinable public func advanced(by count: Int) -> MaskingKey {
        let shift = UInt32(truncatingIfNeeded: count & 3) &* 8
        // A rotation towards the lowest address; by 0 both shifts are by a multiple of the width, which the mask makes
        // 0.
        let ahead = UInt32(littleEndian: rawValue)
        return MaskingKey(rawValue: UInt32(littleEndian: ahead &>> shift | ahead &<< (32 &- shift)))
    }
}
