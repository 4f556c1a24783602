internal import CSystemCalls
internal import Glibc

/// The process's table of descriptors, which the kernel doubles as they come. In a process of several threads it waits
/// for all processors each time: 5 to 25 ms (measured, Linux 6.18) in which no thread is given a descriptor, at 256, at
/// 512 and so on.
package enum DescriptorTable {
    /// Has the table grow at once to hold so many descriptors, eight bytes of the kernel's memory for each; without
    /// effect where it is so large, or more than the limit of open files.
    package static func reserve(_ count: UInt) {
        guard count > 0 else { return }
        let descriptor = ringcast_eventfd()
        guard descriptor >= 0 else { return }
        defer { Glibc.close(descriptor) }
        // The highest number makes the table; nothing is left there.
        let highest = fcntl(descriptor, F_DUPFD_CLOEXEC, Int32(clamping: count - 1))
        if highest >= 0 { Glibc.close(highest) }
    }
}
