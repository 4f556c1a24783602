internal import CSystemCalls
internal import Glibc
internal import IOUring

extension UringDriver {
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
}
