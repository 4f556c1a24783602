public import HTTPTypes
public import Reactor

extension Request {
    /// Who asks: the other end of the connection, or behind proxies that the configuration trusts, the address that
    /// they say (`X-Forwarded-For`). Nil once the connection is gone.
    ///
    /// The field is read from its end, where the nearest proxy has written: the last address that is no trusted proxy's
    /// is the client's, and whatever stands before it may be the client's invention. Where an entry is no address the
    /// reading ends at the proxy behind it. The port is 0 where none is given. Costs a system call, and behind a proxy
    /// a walk over the field.
    public var clientAddress: SocketAddress? {
        guard var address = remoteAddress else { return nil }
        let proxies = trustedProxies
        guard proxies.contains(address) else { return address }
        for entry in forwardedAddresses.reversed() {
            guard let next = entry else { break }
            address = next
            guard proxies.contains(address) else { break }
        }
        return address
    }

    /// The entries of all `X-Forwarded-For` fields in order; nil for those that are no addresses.
    private var forwardedAddresses: [SocketAddress?] {
        headers(.xForwardedFor).flatMap { value in
            value.split(separator: ",", omittingEmptySubsequences: false).map { entry in
                SocketAddress(forwarded: entry.drop { $0 == " " || $0 == "\t" }.trimmingEnd())
            }
        }
    }
}

extension HTTPField.Name {
    /// The field to which each proxy appends the address of whom it forwards for.
    public static let xForwardedFor = Self("X-Forwarded-For")!
}

extension [AddressRange] {
    fileprivate func contains(_ address: SocketAddress) -> Bool { contains { $0.contains(address) } }
}

extension SocketAddress {
    /// Reads `192.0.2.1`, `2001:db8::1`, and with a port `192.0.2.1:80` or `[2001:db8::1]:80`.
    init?(forwarded text: some StringProtocol) {
        if let address = SocketAddress(ipAddress: String(text), port: 0) {
            self = address
            return
        }
        let isBracketed = text.hasPrefix("[")
        guard let end = isBracketed ? text.firstIndex(of: "]") : text.lastIndex(of: ":") else { return nil }
        let rest = text[end...].drop { $0 == "]" }
        guard let port = rest.isEmpty ? 0 : rest.first == ":" ? UInt16(rest.dropFirst()) : nil else { return nil }
        self.init(ipAddress: String(text[..<end].dropFirst(isBracketed ? 1 : 0)), port: Int(port))
    }
}

extension StringProtocol {
    /// Without the white space at its end.
    fileprivate func trimmingEnd() -> SubSequence {
        var text = self[...]
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
