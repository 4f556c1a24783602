import Glibc

/// A listening socket on a free port of the loopback interface.
struct Listener {
    let descriptor: Int32
    let port: UInt16

    init() {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, length) == 0 && listen(descriptor, 1024) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isListening else { fatalError("a listener could not be made: error \(errno)") }
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
    }
}

/// A client's socket, which never waits.
struct Client {
    private let descriptor: Int32
    /// Nil for a plain one.
    private let channel: SecureChannel?

    init(port: UInt16, isSecure: Bool) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = loopback(port: port)
        let isConnected = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { fatalError("a client could not connect: error \(errno)") }
        self.descriptor = descriptor
        guard isSecure else {
            channel = nil
            return
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        channel = SecureChannel(descriptor)
    }

    /// Returns whether it can talk: over TLS, once hands are shaken.
    func isReady() -> Bool { channel?.shakeHands() ?? true }

    func send(_ bytes: [UInt8]) {
        if let channel { return channel.send(bytes) }
        guard unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            fatalError("a client could not send: error \(errno)")
        }
    }

    /// What has come; nil at the end of the connection.
    func receive() -> [UInt8]? {
        if let channel { return channel.receive() }
        var hasEnded = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { memory, count in
            let received = unsafe recv(descriptor, memory.baseAddress!, memory.count, Int32(MSG_DONTWAIT))
            hasEnded = received == 0
            count = max(received, 0)
        }
        return hasEnded ? nil : bytes
    }

    func close() { Glibc.close(descriptor) }
}

private func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = port.bigEndian
    return address
}
