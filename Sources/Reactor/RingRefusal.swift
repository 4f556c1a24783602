internal import Glibc
internal import SystemCalls

/// Why the kernel gives no ring, as far as the process can find out: who may have refused it.
struct RingRefusal: Equatable {
    var error: SystemError
    /// Whether a seccomp filter watches over the process's system calls, as in most containers; nil if not known.
    var hasFilter: Bool?
    /// The kernel's release as it names it, such as 6.1.0-18-amd64.
    var release: String?
    /// The sysctl `kernel.io_uring_disabled`, which Linux has from 6.6 on.
    var disabled: Int?
    /// Bytes that the process's user may lock in memory, which rings count towards; nil if there is no limit.
    var lockableMemory: UInt64?
}

extension RingRefusal {
    /// The facts of this process and machine, at this moment.
    static func current(_ error: SystemError) -> RingRefusal {
        let status = SystemFile.read("/proc/thread-self/status")
        var limit = rlimit()
        let isLimited =
            unsafe getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0 && limit.rlim_cur != UInt.max
        return RingRefusal(
            error: error,
            hasFilter: status.flatMap(hasFilter),
            release: SystemFile.read("/proc/sys/kernel/osrelease").map { String($0.prefix { !$0.isWhitespace }) },
            disabled: SystemFile.number("/proc/sys/kernel/io_uring_disabled"),
            lockableMemory: isLimited && !(status.map(mayLockMemory) ?? false) ? UInt64(limit.rlim_cur) : nil)
    }

    /// - Parameter status: the text of `/proc/PID/status`; its capabilities are hexadecimal, `CAP_IPC_LOCK` is bit 14.
    static func mayLockMemory(status: String) -> Bool {
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let mask = line?.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) }
        return (mask ?? 0) & 1 << 14 != 0
    }

    /// - Parameter status: the text of `/proc/PID/status`, where mode 2 is a filter.
    static func hasFilter(status: String) -> Bool? {
        let line = status.split(separator: "\n").first { $0.hasPrefix("Seccomp:") }
        return line.map { $0.split(whereSeparator: \.isWhitespace).last == "2" }
    }

    private var version: (Int, Int)? {
        guard let numbers = release?.split(separator: ".", maxSplits: 2), numbers.count > 1,
            let major = Int(numbers[0]),
            let minor = Int(numbers[1].prefix { $0.isNumber })
        else { return nil }
        return (major, minor)
    }

    /// Whether the kernel's number, if known, is high enough for io_uring (5.1), or all that is needed of it (6.1).
    private func isKernel(from major: Int, _ minor: Int) -> Bool { version.map { $0 >= (major, minor) } ?? true }
}

extension RingRefusal: CustomStringConvertible {
    /// One sentence: who refuses a ring, and what to do.
    var description: String {
        switch error {
        case .notPermitted, .accessDenied: forbidden
        case .notImplemented: missing
        case .invalidArgument:
            isKernel(from: 6, 1)
                ? "the io_uring of \(kernel) refuses what Ringcast needs of it (\(error)): Linux has it from 6.1 on"
                : "the io_uring of \(kernel) is too old: Linux 6.1 or newer is needed"
        case .outOfMemory: memory
        case .tooManyOpenFiles: ReactorError.tooFewOpenFiles
        default: "io_uring could not be set up: \(error)"
        }
    }

    private var kernel: String { release.map { "this kernel (\($0))" } ?? "this kernel" }

    private static let profile =
        "in a container allow io_uring_setup, io_uring_enter and io_uring_register in its seccomp profile, under "
        + "systemd in SystemCallFilter="

    /// A filter answers before the kernel looks at its own switch, so of two that may have refused both are named.
    private var forbidden: String {
        let filter = hasFilter == true ? ", and this process has a seccomp filter, which may forbid it too: " : ": "
        switch disabled {
        case 2?:
            return "io_uring is switched off on this machine (\(error))\(filter)set the sysctl "
                + "kernel.io_uring_disabled to 0" + (hasFilter == true ? ", and \(Self.profile)" : "")
        case 1?:
            return "io_uring is for the group of kernel.io_uring_group only on this machine (\(error))\(filter)add the "
                + "server's user to the group, or set the sysctl kernel.io_uring_disabled to 0"
                + (hasFilter == true ? ", and \(Self.profile)" : "")
        default: break
        }
        switch hasFilter {
        case true?: return "io_uring is blocked by this process's seccomp filter (\(error)): \(Self.profile)"
        case false?:
            return
                "io_uring is forbidden here (\(error)), neither by a seccomp filter nor by kernel.io_uring_disabled: "
                + "look at what a security module (SELinux, AppArmor) or a sandbox says of it"
        case nil: return "io_uring is blocked here (\(error)), most likely by a seccomp filter: \(Self.profile)"
        }
    }

    private var missing: String {
        guard isKernel(from: 5, 1) else { return "\(kernel) has no io_uring: Linux 6.1 or newer is needed" }
        switch hasFilter {
        case true?: return "io_uring is hidden by this process's seccomp filter (\(error)): \(Self.profile)"
        case false?:
            return "\(kernel) was built without io_uring (\(error)): one with CONFIG_IO_URING is needed, Linux 6.1 or "
                + "newer"
        case nil: return "io_uring is missing here (\(error)), most likely hidden by a seccomp filter: \(Self.profile)"
        }
    }

    private var memory: String {
        guard let lockableMemory else {
            return "there is not enough memory for io_uring (\(error)): give the machine or the container more, or use "
                + "fewer loops"
        }
        return "there is not enough lockable memory for io_uring (\(error)), the limit is \(lockableMemory >> 10) KiB: "
            + "raise it with ulimit -l or LimitMEMLOCK=, or use fewer loops"
    }
}
