import SystemCalls

/// What the kernel says of a process at one moment (proc(5)).
package struct ProcessSample: Equatable, Sendable {
    /// Seconds of CPU since the process began, in user mode.
    package var user = 0.0
    package var system = 0.0
    package var residentBytes = 0
    package var voluntarySwitches = 0
    package var involuntarySwitches = 0

    package init() {}

    /// The figures of this moment; nil where there is no such process.
    package static func take(of pid: Int32) -> ProcessSample? {
        guard let stat = SystemFile.read("/proc/\(pid)/stat") else { return nil }
        var sample = ProcessSample()
        guard sample.addTimes(stat: stat) else { return nil }
        sample.addMemory(status: SystemFile.read("/proc/\(pid)/status") ?? "")
        for task in SystemFile.names(in: "/proc/\(pid)/task") {
            sample.addSwitches(status: SystemFile.read("/proc/\(pid)/task/\(task)/status") ?? "")
        }
        return sample
    }

    /// Reads `utime` and `stime`, which stand behind the name in parentheses; the name may hold anything.
    mutating func addTimes(stat: String, ticksPerSecond: Double = 100) -> Bool {
        guard let end = stat.lastIndex(of: ")") else { return false }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return false }
        self.user += user / ticksPerSecond
        self.system += system / ticksPerSecond
        return true
    }

    mutating func addMemory(status: String) {
        residentBytes += (Self.number("VmRSS:", in: status) ?? 0) * 1024
    }

    mutating func addSwitches(status: String) {
        voluntarySwitches += Self.number("voluntary_ctxt_switches:", in: status) ?? 0
        involuntarySwitches += Self.number("nonvoluntary_ctxt_switches:", in: status) ?? 0
    }

    private static func number(_ name: String, in status: String) -> Int? {
        for line in status.split(separator: "\n") where line.hasPrefix(name) {
            return line.dropFirst(name.utf8.count).split(whereSeparator: { " \t".contains($0) }).first.flatMap {
                Int($0)
            }
        }
        return nil
    }
}
