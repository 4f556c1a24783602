internal import CSystemCalls
internal import Glibc
package import SystemCalls

/// What a loop asks of sockets at once, without waiting: no operations of a driver, and nothing completes.
package protocol SocketCalls: AnyObject {
    /// A socket for an outbound connection, bound to `source` if there is one.
    func makeSocket(for address: ConnectAddress, from source: ConnectAddress?) throws(SystemError) -> Int32
    /// The address of a socket's other end; nil once the peer is gone.
    func peerAddress(of socket: Int32) -> SocketAddress?
    /// Bytes that the kernel has taken and the peer has not.
    func untakenByteCount(of socket: Int32) -> Int
    /// Whether the peer has ended its side, or the connection, whatever lies unread before that.
    func peerHasEnded(_ socket: Int32) -> Bool
    func shutdownWriting(_ socket: Int32)
    /// From now on closing the socket tells the peer that something went wrong: by a reset, where there is TCP.
    func resetWhenClosed(_ socket: Int32)
    /// A connection that waits on a listener with no accept armed; nil if none does, or there is no descriptor for it.
    func acceptWaiting(on listener: Int32) -> Int32?
    /// From now on a listener ignores new handshakes, so that peers repeat them, and completes those that have begun.
    func ignoreHandshakes(on listener: Int32)
    func closeListener(_ listener: Int32)
}

/// A driver whose sockets are the kernel's own.
protocol KernelSockets: SocketCalls {}

extension KernelSockets {
    package func makeSocket(
        for address: ConnectAddress, from source: ConnectAddress?
    ) throws(SystemError) -> Int32 {
        let socket = ringcast_tcp_socket(address.family)
        guard socket >= 0 else { throw SystemError(-socket) }
        do throws(SystemError) {
            if !address.isUnix { try SocketOption.set(socket, Int32(IPPROTO_TCP), TCP_NODELAY) }
            if let source { try SocketOption.bind(socket, to: source) }
        } catch {
            _ = Glibc.close(socket)
            throw error
        }
        return socket
    }

    package func peerAddress(of socket: Int32) -> SocketAddress? { .peer(of: socket) }

    package func untakenByteCount(of socket: Int32) -> Int { Int(ringcast_untaken_bytes(socket)) }

    package func peerHasEnded(_ socket: Int32) -> Bool {
        var look = pollfd(fd: socket, events: endOfInputEvent, revents: 0)
        // Safe: one entry, for the time of the call, which does not wait. A reset is told unasked.
        return unsafe poll(&look, 1, 0) > 0
    }

    package func shutdownWriting(_ socket: Int32) {
        // Not through the ring: the kernel hands that operation to a worker, which looks the descriptor up when it gets
        // to it. By then it may be closed, and belong to another connection, which would be shut down instead.
        _ = shutdown(socket, Int32(SHUT_WR))
    }

    package func resetWhenClosed(_ socket: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        // Safe: the option is read during the call. Where it cannot be set the close is an ordinary one.
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    package func acceptWaiting(on listener: Int32) -> Int32? {
        let descriptor = ringcast_accept_waiting(listener)
        return descriptor < 0 ? nil : descriptor
    }

    package func ignoreHandshakes(on listener: Int32) { _ = ringcast_ignore_handshakes(listener) }

    package func closeListener(_ listener: Int32) { Glibc.close(listener) }
}

/// `POLLRDHUP` of Linux, which Glibc's module leaves out: the peer's FIN has come.
private let endOfInputEvent: Int16 = 0x2000

private enum SocketOption {
    static func bind(_ socket: Int32, to source: ConnectAddress) throws(SystemError) {
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

    static func set(_ socket: Int32, _ level: Int32, _ option: Int32) throws(SystemError) {
        var value: Int32 = 1
        guard unsafe setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .last
        }
    }
}
