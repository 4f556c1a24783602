internal import CSystemCalls
internal import Glibc
internal import IOUring

extension UringDriver {
    package func connect(_ socket: Int32, to address: ConnectAddress, token: Token) {
        let storage = UnsafeMutablePointer<sockaddr_storage>.allocate(capacity: 1)
        unsafe storage.initialize(to: address.storage)
        unsafe connectAddresses.append(storage)
        // Safe: the memory stays until `releaseWhatWasRead`, behind the submission.
        unsafe UnsafeMutableRawPointer(storage).withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe ring.connect(socket, to: $0, length: address.length, userData: token.rawValue)
        }
    }

    /// Called after a wait: of operations that were handed over the kernel has read all headers and addresses.
    func releaseWhatWasRead() {
        guard unsubmittedCount == 0 else { return }
        state.headers.reuse()
        unsafe connectAddresses.forEach { unsafe $0.deallocate() }
        unsafe connectAddresses.removeAll()
    }
}
