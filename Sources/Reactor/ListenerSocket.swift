internal import CSystemCalls
internal import Glibc
internal import SystemCalls

/// The sockets of one listener: one for each loop, bound to the same address, or the only one that there is of a Unix
/// listener, and of one that was handed over.
struct ListenerSocket {
    let address: ListenerAddress
    /// A socket for each loop; -1 where that loop has none.
    let descriptors: [Int32]
    /// What a Unix socket leaves in the file system.
    let file: SocketFile?
    /// Other processes may listen on the same port.
    private let isShared: Bool
    /// One loop has the only socket, and hands out what it accepts.
    private let handsOut: Bool

    /// - Parameter loop: which loop gets the only socket, where there is one.
    /// - Throws: when the address is taken, also by another process that shares it, unless the configuration shares it
    ///   too.
    init(_ configuration: ListenerConfiguration, loopCount: Int, onlyLoop loop: Int = 0) throws(ReactorError) {
        switch configuration.address {
        case .tcp(let hostname, let port):
            try self.init(host: hostname, port: port, configuration, loopCount: loopCount)
        case .unix(let path, let permissions):
            let (descriptor, file) = try UnixListener.bind(
                path: path, permissions: permissions, takesOver: configuration.reusePort, backlog: configuration.backlog
            )
            self.init(ListenerAddress(path: path), descriptor, of: loop, loopCount: loopCount, file: file)
        case .abstract(let name):
            let descriptor = try UnixListener.bind(abstract: name, backlog: configuration.backlog)
            self.init(ListenerAddress(path: "@" + name), descriptor, of: loop, loopCount: loopCount, file: nil)
        case .inherited(let descriptor):
            let address = try InheritedListener.take(descriptor)
            self.init(address, descriptor, of: loop, loopCount: loopCount, file: nil)
        }
    }

    private init(_ address: ListenerAddress, _ only: Int32, of loop: Int, loopCount: Int, file: SocketFile?) {
        self.address = address
        descriptors = (0..<loopCount).map { $0 == loop ? only : -1 }
        self.file = file
        (isShared, handsOut) = (false, true)
    }

    /// The listener as one of the loops sees it.
    func share(of loop: Int, tls: TLSServer?) -> LoopListener {
        var listener = LoopListener(descriptor: descriptors[loop], tls: tls)
        (listener.handsOut, listener.isShared, listener.file) = (handsOut, isShared, file)
        listener.isClosed = listener.descriptor < 0
        return listener
    }

    /// Called for a listener that no loop has taken.
    func close() {
        file?.remove()
        for descriptor in descriptors where descriptor >= 0 { Glibc.close(descriptor) }
    }

    private init(
        host: String?, port: Int, _ configuration: ListenerConfiguration, loopCount: Int
    ) throws(ReactorError) {
        guard 0...65_535 ~= port else {
            throw ReactorError("\(port) is not a port: choose 1 to 65535, or 0 for a free one")
        }
        let candidates = try Self.resolve(host)
        var failure = SystemError.addressNotAvailable
        file = nil
        (isShared, handsOut) = (configuration.reusePort, false)
        for candidate in candidates {
            do throws(SystemError) {
                (address, descriptors) = try Self.bind(candidate, port, configuration, loopCount: loopCount)
                return
            } catch {
                failure = error
                // This machine has no IPv6: the next candidate is IPv4.
                guard error == .addressFamilyNotSupported || error == .addressNotAvailable else { break }
            }
        }
        throw .cannotListen(host: host ?? "all addresses", port: port, failure)
    }

    private static func bind(
        _ address: BindAddress, _ port: Int, _ configuration: ListenerConfiguration, loopCount: Int
    ) throws(SystemError) -> (ListenerAddress, [Int32]) {
        if !configuration.reusePort, port != 0 {
            // Sharing between our own loops would also share with whoever shares already: try alone first.
            Glibc.close(try open(address, port: port, shared: false))
        }
        var descriptors: [Int32] = []
        var port = port
        do throws(SystemError) {
            for _ in 0..<loopCount {
                descriptors.append(try open(address, port: port, shared: loopCount > 1 || configuration.reusePort))
                if port == 0, let bound = SocketAddress.local(of: descriptors[0]) { port = bound.port }
            }
            for descriptor in descriptors where listen(descriptor, Int32(configuration.backlog)) != 0 {
                throw SystemError.last
            }
        } catch {
            for descriptor in descriptors { Glibc.close(descriptor) }
            throw error
        }
        return (ListenerAddress(hostname: address.host, port: port), descriptors)
    }

    private static func open(_ address: BindAddress, port: Int, shared: Bool) throws(SystemError) -> Int32 {
        let descriptor = ringcast_tcp_socket(address.isIPv6 ? AF_INET6 : AF_INET)
        guard descriptor >= 0 else { throw SystemError(-descriptor) }
        do throws(SystemError) {
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            if shared { try set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
            // Accepted sockets inherit this option.
            try set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            if address.isIPv6 { try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, address.isDualStack ? 0 : 1) }
            try bind(descriptor, to: address, port: port)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        guard unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .last
        }
    }

    private static func bind(_ descriptor: Int32, to address: BindAddress, port: Int) throws(SystemError) {
        let result =
            if address.isIPv6 {
                unsafe withUnsafePointer(to: address.inet6(port: port)) {
                    unsafe bind(descriptor, $0, sockaddr_in6.self)
                }
            } else {
                unsafe withUnsafePointer(to: address.inet(port: port)) { unsafe bind(descriptor, $0, sockaddr_in.self) }
            }
        guard result == 0 else { throw .last }
    }

    private static func bind<Address>(
        _ descriptor: Int32, _ address: UnsafePointer<Address>, _ type: Address.Type
    ) -> Int32 {
        unsafe UnsafeRawPointer(address).withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
        }
    }

    private static func resolve(_ host: String?) throws(ReactorError) -> [BindAddress] {
        guard let host else { return [.dualStack, .anyIPv4] }
        if host == "localhost" { return [BindAddress("127.0.0.1")!] }
        guard let address = BindAddress(host) else {
            throw ReactorError(
                "\(host) is not an IP address: listen on one of this machine's addresses, such as 127.0.0.1")
        }
        return [address]
    }
}

/// A numeric address to bind to.
private struct BindAddress {
    var host: String
    var isIPv6: Bool
    var isDualStack = false
    private var bytes: [UInt8]

    /// Every address of the machine, IPv4 too.
    static var dualStack: BindAddress {
        var address = BindAddress("::")!
        address.isDualStack = true
        return address
    }
    static var anyIPv4: BindAddress { BindAddress("0.0.0.0")! }

    init?(_ text: String) {
        host = text
        var buffer = [UInt8](repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET, text, &buffer) == 1 {
            (isIPv6, bytes) = (false, Array(buffer.prefix(4)))
        } else if unsafe inet_pton(AF_INET6, text, &buffer) == 1 {
            (isIPv6, bytes) = (true, buffer)
        } else {
            return nil
        }
    }

    func inet(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        unsafe withUnsafeMutableBytes(of: &address.sin_addr) { unsafe $0.copyBytes(from: bytes) }
        return address
    }

    func inet6(port: Int) -> sockaddr_in6 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = UInt16(truncatingIfNeeded: port).bigEndian
        unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { unsafe $0.copyBytes(from: bytes) }
        return address
    }
}
