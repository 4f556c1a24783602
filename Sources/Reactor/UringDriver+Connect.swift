internal import CIOUring
internal import Glibc
package import IOUring

extension UringDriver {
    package func makeSocket(
        for address: ConnectAddress, from source: ConnectAddress?
    ) throws(SystemError) -> Int32 {
        let socket = ringcast_tcp_socket(address.family)
        guard socket >= 0 else { throw SystemError(-socket) }
        do throws(SystemError) {
            if !address.isUnix { try Self.set(socket, Int32(IPPROTO_TCP), TCP_NODELAY) }
            if let source { try Self.bind(socket, to: source) }
        } catch {
            _ = Glibc.close(socket)
            throw error
        }
        return socket
    }

    package func connect(_ socket: Int32, to address: ConnectAddress, token: Token) {
        let storage = UnsafeMutablePointer<sockaddr_storage>.allocate(capacity: 1)
        unsafe storage.initialize(to: address.storage)
        unsafe connectAddresses.append(storage)
        // Safe: the memory stays until `releaseConnectAddresses`, behind the submission.
        unsafe UnsafeMutableRawPointer(storage).withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe ring.connect(socket, to: $0, length: address.length, userData: token.rawValue)
        }
    }

    /// After a wait: what was handed over has been read.
    func releaseConnectAddresses() {
        guard unsubmittedCount == 0 else { return }
        unsafe connectAddresses.forEach { unsafe $0.deallocate() }
        unsafe connectAddresses.removeAll()
    }

    private static func bind(_ socket: Int32, to source: ConnectAddress) throws(SystemError) {
        // The port is chosen by connect(2), which knows the other end: one local address then reaches 28,000 times each
        // remote one, instead of 28,000 times in all.
        if !source.isUnix { try set(socket, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT) }
        var storage = source.storage
        let result = unsafe withUnsafePointer(to: &storage) {
            unsafe UnsafeRawPointer($0).withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.bind(socket, $0, source.length)
            }
        }
        guard result == 0 else { throw .last }
    }

    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32) throws(SystemError) {
        var value: Int32 = 1
        guard unsafe setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .last
        }
    }
}
