internal import Glibc

/// An IP address and a port, or the name of a Unix socket.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes in network order; none for a Unix socket.
    let bytes: [UInt8]
    /// 0 to 65535; 0 for a Unix socket.
    public let port: Int
    /// The path of a Unix socket, an abstract name behind an `@`, empty for one without a name, as clients' are; nil
    /// for an IP address.
    public let path: String?

    /// An IPv4 address that came in through a dual-stack listener counts as IPv4.
    init(bytes: [UInt8], port: Int) {
        let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        self.bytes = bytes.count == 16 && bytes.starts(with: mappedPrefix) ? Array(bytes.suffix(4)) : bytes
        self.port = port
        path = nil
    }

    private init(path: String) {
        bytes = []
        port = 0
        self.path = path
    }

    /// Whether `ipAddress` is of IPv6; an IPv4 one that came through a dual-stack listener is not.
    public var isIPv6: Bool { bytes.count == 16 }

    /// Whether this is a Unix socket's address.
    public var isUnix: Bool { path != nil }

    /// The IP address as text: `127.0.0.1`, `2001:db8::1`; nil for a Unix socket.
    public var ipAddress: String? {
        if isUnix { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isIPv6 ? AF_INET6 : AF_INET
        guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Address and port: `127.0.0.1:3000`, `[2001:db8::1]:3000`; or `unix:` and the path.
    public var description: String {
        guard let ipAddress else { return "unix:\(path ?? "")" }
        return isIPv6 ? "[\(ipAddress)]:\(port)" : "\(ipAddress):\(port)"
    }

    /// What stands for the peer where connections are counted: an IPv4 address, or the first 64 bits of an IPv6 one,
    /// since whoever has one such address has all; nil for a Unix socket.
    package var owner: UInt64? {
        guard !isUnix else { return nil }
        let prefix = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        // The two do not collide: no IPv6 prefix that is routed begins with 32 zeroes.
        return isIPv6 ? prefix : prefix & 0xFFFF_FFFF
    }

    static func peer(of descriptor: Int32) -> SocketAddress? { unsafe ask(descriptor, getpeername) }
    static func local(of descriptor: Int32) -> SocketAddress? { unsafe ask(descriptor, getsockname) }

    private static func ask(
        _ descriptor: Int32, _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        return unsafe withUnsafeBytes(of: &storage) { unsafe SocketAddress($0, length: Int(length)) }
    }

    private init?(_ storage: UnsafeRawBufferPointer, length: Int) {
        switch unsafe Int32(storage.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            let address = unsafe storage.loadUnaligned(as: sockaddr_in.self)
            let bytes = unsafe withUnsafeBytes(of: address.sin_addr) { unsafe Array($0) }
            self.init(bytes: bytes, port: Int(UInt16(bigEndian: address.sin_port)))
        case AF_INET6:
            let address = unsafe storage.loadUnaligned(as: sockaddr_in6.self)
            let bytes = unsafe withUnsafeBytes(of: address.sin6_addr) { unsafe Array($0) }
            self.init(bytes: bytes, port: Int(UInt16(bigEndian: address.sin6_port)))
        case AF_UNIX:
            // A path ends with a 0, an abstract name begins with one, and the length says what there is.
            let name = unsafe Array(storage[..<min(length, storage.count)].dropFirst(MemoryLayout<sa_family_t>.size))
            let isAbstract = name.first == 0 && name.count > 1
            let text = isAbstract ? name.dropFirst() : name.prefix { $0 != 0 }
            self.init(path: (isAbstract ? "@" : "") + String(decoding: text, as: UTF8.self))
        default:
            return nil
        }
    }
}
