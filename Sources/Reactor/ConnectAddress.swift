internal import Glibc

/// Where an outbound connection goes to, or comes from: an IP address and a port, or a Unix socket.
package struct ConnectAddress: Sendable, CustomStringConvertible {
    let storage: sockaddr_storage
    let length: socklen_t
    package let description: String

    /// A numeric IPv4 or IPv6 address; nil if `host` is none.
    package init?(host: String, port: UInt16) {
        var inet = sockaddr_in()
        var inet6 = sockaddr_in6()
        if unsafe inet_pton(AF_INET, host, &inet.sin_addr) == 1 {
            inet.sin_family = sa_family_t(AF_INET)
            inet.sin_port = port.bigEndian
            self.init(inet, "\(host):\(port)")
        } else if unsafe inet_pton(AF_INET6, host, &inet6.sin6_addr) == 1 {
            inet6.sin6_family = sa_family_t(AF_INET6)
            inet6.sin6_port = port.bigEndian
            self.init(inet6, "[\(host)]:\(port)")
        } else {
            return nil
        }
    }

    /// A Unix socket by its path; a leading `@` is an abstract name. Nil if it is empty or has more than 107 bytes.
    package init?(unixPath path: String) {
        var name = [UInt8](path.utf8)
        let isAbstract = name.first == UInt8(ascii: "@")
        if isAbstract { name[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard !name.isEmpty, name.count < capacity, !name.dropFirst().contains(0) else { return nil }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        // An abstract name ends where the length says; a path ends with a zero.
        let length = MemoryLayout<sa_family_t>.size + name.count + (isAbstract ? 0 : 1)
        self.init(address, length: length, path)
    }

    /// What `getaddrinfo` has found, with the port in it.
    init?(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
        guard Int(length) <= MemoryLayout<sockaddr_storage>.size, let text = unsafe Self.text(address, length) else {
            return nil
        }
        var storage = sockaddr_storage()
        unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(length)))
        }
        self.storage = storage
        self.length = length
        description = text
    }

    private init<Address>(_ address: Address, length: Int = MemoryLayout<Address>.size, _ description: String) {
        var storage = sockaddr_storage()
        var address = address
        // Safe: every kind of address fits into the storage, that is what it is for.
        unsafe withUnsafeMutableBytes(of: &storage) { storage in
            unsafe withUnsafeBytes(of: &address) { unsafe storage.copyMemory(from: $0) }
        }
        self.storage = storage
        self.length = socklen_t(length)
        self.description = description
    }

    package var isIPv6: Bool { Int32(storage.ss_family) == AF_INET6 }
    package var isUnix: Bool { Int32(storage.ss_family) == AF_UNIX }
    package func hasSameFamily(as other: ConnectAddress) -> Bool { storage.ss_family == other.storage.ss_family }

    var family: Int32 { Int32(storage.ss_family) }

    private static func text(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> String? {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let flags = NI_NUMERICHOST | NI_NUMERICSERV
        let result = unsafe getnameinfo(
            address, length, &host, socklen_t(host.count), &port, socklen_t(port.count), flags)
        guard result == 0 else { return nil }
        let (hostText, portText) = (string(host), string(port))
        return hostText.utf8.contains(UInt8(ascii: ":")) ? "[\(hostText)]:\(portText)" : "\(hostText):\(portText)"
    }

    private static func string(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
