internal import Glibc
internal import SystemCalls

/// A blocking client on a real socket, for tests. Every call gives up after 60 s, which are there for hanging
/// only.
package final class TCPClient {
    private let descriptor: Int32

    /// - Parameter receiveBuffer: bytes that the kernel keeps for this client; few make a slow reader.
    package init(port: Int, receiveBuffer: Int? = nil) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        precondition(descriptor >= 0, "no socket: errno \(errno)")
        if let receiveBuffer { set(SO_RCVBUF, Int32(receiveBuffer)) }
        set(SO_RCVTIMEO, timeval(tv_sec: 60, tv_usec: 0))
        set(SO_SNDTIMEO, timeval(tv_sec: 60, tv_usec: 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let descriptor = descriptor
        let result = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                uninterrupted { unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
        }
        precondition(result == 0, "no connection to port \(port): errno \(errno)")
    }

    deinit { close(descriptor) }

    /// False: the connection is broken.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                uninterrupted {
                    unsafe Glibc.send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
            }
            if count < 0 { return false }
            sent += count
        }
        return true
    }

    /// What has come, at least one byte; empty at the end, nil after a reset or 60 s.
    package func receive(upTo count: Int) -> [UInt8]? {
        var result = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, received in
            result = uninterrupted { unsafe recv(descriptor, buffer.baseAddress!, count, 0) }
            received = max(0, result)
        }
        return result < 0 ? nil : bytes
    }

    /// Fewer: the end has come before.
    package func receive(exactly count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let more = receive(upTo: count - bytes.count), !more.isEmpty { bytes += more }
        return bytes
    }

    /// Everything until the peer's FIN; nil if it was a reset.
    package func receiveToEnd() -> [UInt8]? {
        var bytes: [UInt8] = []
        while let more = receive(upTo: 65_536) {
            if more.isEmpty { return bytes }
            bytes += more
        }
        return nil
    }

    /// Sends FIN.
    package func end() { shutdown(descriptor, Int32(SHUT_WR)) }

    private func set<Value: BitwiseCopyable>(_ option: Int32, _ value: Value) {
        var value = value
        let result = unsafe setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Value>.size))
        precondition(result == 0, "option \(option) was refused")
    }
}

/// Open descriptors of this process.
package func openDescriptorCount() -> Int {
    guard let directory = unsafe opendir("/proc/self/fd") else { return -1 }
    defer { unsafe closedir(directory) }
    var count = -3  // ".", "..", and the directory's own
    while unsafe readdir(directory) != nil { count += 1 }
    return count
}
