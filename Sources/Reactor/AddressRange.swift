internal import Glibc

/// Addresses that begin alike: an IP address with the length of what they share (`10.0.0.0/8`, `2001:db8::/32`), one
/// address alone (`192.0.2.1`), or all Unix sockets (`unix`).
public struct AddressRange: Hashable, Sendable {
    /// What the addresses share, in network order; empty for Unix sockets.
    private let bytes: [UInt8]
    private let bitCount: Int

    /// The range that a text describes; nil if it describes none.
    public init?(_ text: String) {
        if text == "unix" {
            (bytes, bitCount) = ([], 0)
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = SocketAddress(ipAddress: String(parts[0]), port: 0) else { return nil }
        let longest = address.bytes.count * 8
        guard let count = parts.count == 1 ? longest : Int(parts[1]), 0...longest ~= count else { return nil }
        (bytes, bitCount) = (address.bytes, count)
    }

    /// Whether the range has an address. An IPv4 address that came in by IPv6 counts as IPv4.
    public func contains(_ address: SocketAddress) -> Bool {
        guard address.bytes.count == bytes.count else { return false }
        let whole = bitCount / 8
        guard address.bytes.prefix(whole) == bytes.prefix(whole) else { return false }
        let rest = bitCount % 8
        return rest == 0 || (address.bytes[whole] ^ bytes[whole]) >> UInt8(8 - rest) == 0
    }
}

extension AddressRange: ExpressibleByStringLiteral {
    /// The range that a literal describes; one that describes none is a programming error, and traps.
    public init(stringLiteral text: String) {
        guard let range = AddressRange(text) else {
            preconditionFailure("\"\(text)\" is no range of addresses: write 10.0.0.0/8, ::1 or unix")
        }
        self = range
    }
}

extension SocketAddress {
    /// An IP address by its text; nil if that is none.
    package init?(ipAddress text: String, port: Int) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET, text, &bytes) == 1 {
            self.init(bytes: Array(bytes.prefix(4)), port: port)
        } else if unsafe inet_pton(AF_INET6, text, &bytes) == 1 {
            self.init(bytes: bytes, port: port)
        } else {
            return nil
        }
    }
}
