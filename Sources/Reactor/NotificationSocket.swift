internal import CSystemCalls
internal import Glibc
package import SystemCalls

/// Where a process tells whoever has started it what it does: a Unix socket for datagrams, as systemd has one.
package struct NotificationSocket: Hashable, Sendable {
    private let name: String

    /// - Parameter name: an absolute path, or an abstract name behind an `@`.
    /// - Throws: a sentence if it is neither, or too long.
    package init(name: String) throws(ReactorError) {
        guard name.hasPrefix("/") || name.hasPrefix("@") else {
            throw ReactorError("\(name) is neither an absolute path nor an abstract name behind an @")
        }
        self.name = name
        _ = try address
    }

    private var address: UnixAddress {
        get throws(ReactorError) {
            name.hasPrefix("@") ? try UnixAddress(abstract: String(name.dropFirst())) : try UnixAddress(path: name)
        }
    }

    /// Sends a datagram, without waiting. Any thread; costs three system calls.
    /// - Returns: why it was not sent, if it was not.
    package func send(_ text: String) -> SystemError? {
        guard let address = try? address else { return .invalidArgument }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .last }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        // Safe: address and bytes live until the call returns, which keeps neither.
        let count = unsafe address.withPointer { pointer, length in
            uninterrupted {
                unsafe sendto(
                    descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL),
                    pointer.assumingMemoryBound(to: sockaddr.self), length)
            }
        }
        return count == bytes.count ? nil : .last
    }
}
