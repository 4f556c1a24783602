internal import CIOUring

/// What the kernel says of one submission.
package struct Completion: BitwiseCopyable {
    /// The number that the submission was given.
    package let userData: UInt64
    /// Bytes, a descriptor, or a negated errno.
    package let result: Int32
    let flags: UInt32

    init(userData: UInt64, result: Int32, flags: UInt32) {
        self.userData = userData
        self.result = result
        self.flags = flags
    }

    /// Whether the operation goes on; a multishot that is over has to be armed again.
    package var hasMore: Bool { flags & IORING_CQE_F_MORE != 0 }

    /// The provided buffer that holds the received bytes; it belongs to the receiver until it is given back.
    package var buffer: UInt16? {
        flags & IORING_CQE_F_BUFFER != 0 ? UInt16(truncatingIfNeeded: flags >> UInt32(IORING_CQE_BUFFER_SHIFT)) : nil
    }
}
