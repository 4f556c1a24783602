internal import CIOUring
internal import Glibc
package import SystemCalls

/// Waiting for several completions at once, so that what they lead to leaves in fewer, larger operations.
extension Ring {
    /// Whether the kernel can wait for several (`IORING_FEAT_MIN_TIMEOUT`, Linux 6.12).
    package var canGather: Bool { unsafe storage.pointee.features & UInt32(RINGCAST_FEAT_MIN_TIMEOUT) != 0 }

    /// Hands over every submission and waits for `count` completions, but no longer than `microseconds`. If there is
    /// none by then, waits on for the first one.
    ///
    /// - Parameter milliseconds: how long at most in all; nil waits for ever.
    /// - Returns: nil, or what the kernel refused with; a signal and the end of the time are no errors.
    package func submitAndGather(_ count: Int, microseconds: UInt32, milliseconds: UInt64?) -> SystemError? {
        // Without a limit the kernel would come back at the end of the microseconds even with nothing.
        let milliseconds = milliseconds ?? 1 << 40
        var limit = __kernel_timespec(
            tv_sec: Int64(milliseconds / 1000), tv_nsec: Int64(milliseconds % 1000) * 1_000_000)
        return Self.error(
            of: unsafe ringcast_submit_and_gather(storage, isRegistered, UInt32(count), microseconds, &limit))
    }
}
