import Glibc
import SystemCalls

/// A blocking TCP connection to the server under test. Calls fail after 60 s, which are there for hanging
/// only.
final class TCPClient {
    private var descriptor: Int32
    private var unread: [UInt8] = []
    /// Whether the server has ended the connection by a reset.
    private(set) var wasReset = false

    struct Failure: Error { let what: String }

    /// - Parameter segmentSize: a small one keeps the kernel's buffers small on both sides.
    init(port: Int, receiveBuffer: Int32? = nil, segmentSize: Int32? = nil) throws {
        descriptor = try Self.socket(AF_INET)
        if let receiveBuffer { set(SO_RCVBUF, receiveBuffer) }
        if let segmentSize { set(TCP_MAXSEG, segmentSize, at: Int32(IPPROTO_TCP)) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        try connect(to: address, MemoryLayout<sockaddr_in>.size)
        set(TCP_NODELAY, 1, at: Int32(IPPROTO_TCP))
    }

    /// To the IPv6 loopback address.
    init(ipv6Port port: Int) throws {
        descriptor = try Self.socket(AF_INET6)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = UInt16(port).bigEndian
        address.sin6_addr = in6addr_loopback
        try connect(to: address, MemoryLayout<sockaddr_in6>.size)
    }

    /// - Parameter unix: the path of a Unix socket, or its abstract name behind an `@`.
    init(unix name: String) throws {
        descriptor = try Self.socket(AF_UNIX)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let isAbstract = name.hasPrefix("@")
        let bytes = isAbstract ? [0] + Array(name.utf8.dropFirst()) : Array(name.utf8) + [0]
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        try connect(to: address, 2 + bytes.count)
    }

    /// A socket whose calls give up in the end.
    private static func socket(_ family: Int32) throws -> Int32 {
        let descriptor = Glibc.socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(what: "socket: \(errno)") }
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    private func set(_ option: Int32, _ value: Int32, at level: Int32 = SOL_SOCKET) {
        var value = value
        _ = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// The descriptor is `deinit`'s to close, also after a failure.
    private func connect<Address>(to address: Address, _ length: Int) throws {
        let result = unsafe withUnsafePointer(to: address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                uninterrupted { unsafe Glibc.connect(descriptor, address, socklen_t(length)) }
            }
        }
        guard result == 0 else { throw Failure(what: "connect: \(errno)") }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func send(_ bytes: [UInt8]) throws {
        var left = bytes[...]
        while !left.isEmpty {
            let count = unsafe left.withUnsafeBytes { left in
                uninterrupted { unsafe Glibc.send(descriptor, left.baseAddress, left.count, Int32(MSG_NOSIGNAL)) }
            }
            guard count > 0 else { throw Failure(what: "send: \(errno)") }
            left = left.dropFirst(count)
        }
    }

    func send(_ text: String) throws { try send([UInt8](text.utf8)) }

    /// Exactly `count` bytes.
    func read(_ count: Int) throws -> [UInt8] {
        while unread.count < count {
            guard try fill() else {
                throw Failure(what: "the connection ended after \(unread.count) of \(count) bytes")
            }
        }
        defer { unread.removeFirst(count) }
        return Array(unread.prefix(count))
    }

    /// The next line, without its end.
    func readLine() throws -> String {
        while true {
            if let end = unread.firstIndex(of: 10) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeFirst(end + 1)
                return line.hasSuffix("\r") ? String(line.dropLast()) : String(line)
            }
            guard try fill() else { throw Failure(what: "the connection ended inside a line") }
        }
    }

    /// Everything until the server's end of the connection.
    func readToEnd() throws -> [UInt8] {
        while try fill() {}
        defer { unread = [] }
        return unread
    }

    /// Whether the server has ended the connection, with nothing left to read.
    func isAtEnd() throws -> Bool { try unread.isEmpty && !fill() }

    /// Whether there is something to read, now or within so many milliseconds.
    func hasInput(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return !unread.isEmpty || uninterrupted { unsafe poll(&entry, 1, milliseconds) } > 0
    }

    /// Bytes that the server's kernel has not acknowledged, as far as this end knows.
    var unacknowledgedByteCount: Int {
        var count: Int32 = 0
        _ = unsafe ioctl(descriptor, UInt(TIOCOUTQ), &count)
        return Int(count)
    }

    func shutDownWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends the connection with a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close(descriptor)
        descriptor = -1
    }

    /// Reads more. False: the connection has ended; a reset counts as that.
    private func fill() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            uninterrupted { unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0) }
        }
        if count > 0 {
            unread += buffer[..<count]
            return true
        }
        if count < 0 {
            guard errno == ECONNRESET else { throw Failure(what: "recv: \(errno)") }
            wasReset = true
        }
        return false
    }
}

/// At least so long: a signal does not shorten it.
func pause(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var left = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    var time: timespec
    repeat { time = left } while unsafe nanosleep(&time, &left) == -1 && errno == EINTR
}
