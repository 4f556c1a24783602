internal import Glibc
internal import SystemCalls

/// Sockets that somebody else has made, bound and set to listen, and has handed to this process: systemd, or the
/// process that was here before.
enum InheritedListener {
    /// Takes a descriptor over, which the listener closes in the end. One that is refused stays as it is.
    /// - Returns: where it listens.
    static func take(_ descriptor: Int32) throws(ReactorError) -> ListenerAddress {
        guard fcntl(descriptor, F_GETFD) >= 0 else { throw unfit(descriptor, "is not open") }
        guard let type = option(SO_TYPE, of: descriptor) else { throw unfit(descriptor, "is no socket") }
        guard type == Int32(SOCK_STREAM.rawValue) else {
            throw unfit(descriptor, "is no stream socket: systemd makes one by ListenStream=")
        }
        guard option(SO_ACCEPTCONN, of: descriptor) == 1 else {
            throw unfit(descriptor, "does not listen: systemd hands over one that does with Accept=no")
        }
        guard let address = SocketAddress.local(of: descriptor) else {
            throw unfit(descriptor, "is neither a TCP nor a Unix socket")
        }
        // What handlers start does not get it.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard let ipAddress = address.ipAddress else { return ListenerAddress(path: address.path ?? "") }
        // Accepted sockets inherit this option.
        var isOn: Int32 = 1
        _ = unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
        return ListenerAddress(hostname: ipAddress, port: address.port)
    }

    /// Throws where two listeners are to have the same descriptor, which both would close.
    static func checkDescriptors(of listeners: [ListenerConfiguration]) throws(ReactorError) {
        var seen: Set<Int32> = []
        for case .inherited(let descriptor) in listeners.lazy.map(\.address) {
            guard seen.insert(descriptor).inserted else { throw unfit(descriptor, "is given to two listeners") }
        }
    }

    private static func unfit(_ descriptor: Int32, _ fault: String) -> ReactorError {
        ReactorError("descriptor \(descriptor) cannot be listened on: it \(fault)", .cannotListen)
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 else { return nil }
        return value
    }
}
