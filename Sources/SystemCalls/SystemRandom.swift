internal import CSystemCalls

/// The kernel's cryptographic generator.
package enum SystemRandom {
    /// Fills memory with random bytes: one system call. Cost: about 3 ns a byte.
    package static func fill(_ memory: UnsafeMutableRawBufferPointer) {
        let result = unsafe ringcast_random_bytes(memory.baseAddress!, Int32(memory.count))
        // getrandom fails only where it is forbidden, and then nothing may be sent that has to be random.
        guard result == 0 else { fatalError("the kernel gives no random bytes: \(SystemError(-result))") }
    }
}
