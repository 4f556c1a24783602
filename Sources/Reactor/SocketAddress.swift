internal import Glibc

/// An IP address and a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes, as they travel.
    private let bytes: [UInt8]
    /// 0 to 65535.
    public let port: Int

    /// An IPv4 address that came in through a dual-stack listener counts as IPv4.
    init(bytes: [UInt8], port: Int) {
        let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        self.bytes = bytes.count == 16 && bytes.starts(with: mappedPrefix) ? Array(bytes.suffix(4)) : bytes
        self.port = port
    }

    /// Whether `host` is an IPv6 address; an IPv4 one that came through a dual-stack listener is not.
    public var isIPv6: Bool { bytes.count == 16 }

    /// As text: `127.0.0.1`, `2001:db8::1`.
    public var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isIPv6 ? AF_INET6 : AF_INET
        guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Address and port: `127.0.0.1:3000`, `[2001:db8::1]:3000`.
    public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

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
        return unsafe withUnsafeBytes(of: &storage) { unsafe SocketAddress($0) }
    }

    private init?(_ storage: UnsafeRawBufferPointer) {
        switch unsafe Int32(storage.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            let address = unsafe storage.loadUnaligned(as: sockaddr_in.self)
            let bytes = unsafe withUnsafeBytes(of: address.sin_addr) { unsafe Array($0) }
            self.init(bytes: bytes, port: Int(UInt16(bigEndian: address.sin_port)))
        case AF_INET6:
            let address = unsafe storage.loadUnaligned(as: sockaddr_in6.self)
            let bytes = unsafe withUnsafeBytes(of: address.sin6_addr) { unsafe Array($0) }
            self.init(bytes: bytes, port: Int(UInt16(bigEndian: address.sin6_port)))
        default:
            return nil
        }
    }
}
