internal import CSystemCalls
internal import Glibc

/// Two Unix sockets that are connected to each other: what a kernel is tried with, at a driver's start and in tests.
/// Closes both at its end.
package struct SocketPair: ~Copyable {
    package let first: Int32
    package let second: Int32

    package init() throws(SystemError) {
        var descriptors: [Int32] = [0, 0]
        let result = unsafe ringcast_stream_pair(&descriptors)
        guard result == 0 else { throw SystemError(-result) }
        (first, second) = (descriptors[0], descriptors[1])
    }

    deinit {
        close(first)
        close(second)
    }

    /// Writes from the second to the first. Returns how many bytes that took.
    package func write(_ bytes: [UInt8]) -> Int {
        uninterrupted { unsafe Glibc.write(second, bytes, bytes.count) }
    }

    /// Reads everything that lies ready at the second.
    package func read() -> [UInt8] {
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = uninterrupted { unsafe recv(second, &bytes, bytes.count, Int32(MSG_DONTWAIT)) }
            guard count > 0 else { return all }
            all += bytes.prefix(count)
        }
    }
}
