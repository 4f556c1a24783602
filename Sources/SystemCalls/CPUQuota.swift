/// How many processors a process's cgroups let it use at a time: a container's `--cpus`.
///
/// The smallest quota of the process's own group and of every ancestor holds, and where both hierarchies are mounted
/// that of either: cgroup v2 has it in `cpu.max`, v1 in two files of its `cpu` controller. A container usually sees its
/// own group as the root.
package struct CPUQuota {
    /// The text of a file; nil where there is none.
    let read: (String) -> String?

    package init(read: @escaping (String) -> String?) { self.read = read }

    /// The quota, rounded up to whole processors; nil if there is none.
    package var processors: Int? {
        var smallest: Int?
        func consider(_ count: Int?) {
            guard let count else { return }
            smallest = min(smallest ?? count, count)
        }
        let groups = Self.groups(in: read("/proc/self/cgroup") ?? "")
        for group in Self.withAncestors(groups.unified) {
            for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
                consider(read(root + group + "/cpu.max").flatMap(Self.processors(cpuMax:)))
            }
        }
        for group in Self.withAncestors(groups.cpu) {
            for root in ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"] {
                let folder = root + group
                guard let quota = read(folder + "/cpu.cfs_quota_us"), let period = read(folder + "/cpu.cfs_period_us")
                else { continue }
                consider(Self.processors(cpuMax: quota + " " + period))
            }
        }
        return smallest
    }

    /// - Parameter text: a quota and its period in µs; `max`, or -1 in cgroup v1, is no quota.
    package static func processors(cpuMax text: String) -> Int? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), quota > 0, period > 0 else {
            return nil
        }
        return (quota - 1) / period + 1
    }

    /// The process's groups in the unified hierarchy and in that of v1's `cpu` controller, as `/proc/self/cgroup` names
    /// them: `0::/a/b` and `4:cpu,cpuacct:/a/b`.
    static func groups(in text: String) -> (unified: String, cpu: String) {
        var groups = (unified: "/", cpu: "/")
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[0] == "0", parts[1].isEmpty {
                groups.unified = String(parts[2])
            } else if parts[1].split(separator: ",").contains("cpu") {
                groups.cpu = String(parts[2])
            }
        }
        return groups
    }

    /// `/a/b`: `/a/b`, `/a` and the root, which is the empty path here.
    static func withAncestors(_ group: String) -> [String] {
        var parts = group.split(separator: "/")
        var paths: [String] = []
        while !parts.isEmpty {
            paths.append("/" + parts.joined(separator: "/"))
            parts.removeLast()
        }
        return paths + [""]
    }
}
