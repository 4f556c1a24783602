internal import CIOUring

/// The processors that this process may use.
enum Processors {
    /// By affinity mask.
    static var allowed: [Int] {
        var list = [Int32](repeating: 0, count: 4096)
        let count = unsafe ringcast_allowed_processors(&list, Int32(list.count))
        return list.prefix(max(0, min(Int(count), list.count))).map(Int.init)
    }

    /// By the quotas of the process's cgroups, rounded up; nil where there is none.
    static var quota: Int? { CPUQuota(read: SystemFile.read).processors }

    /// `processors` with one thread of each physical core first, so that fewer loops than threads share no core.
    static func spreadOverCores(
        _ processors: [Int], siblings: (Int) -> String? = { SystemFile.read(siblingsFile(of: $0)) }
    ) -> [Int] {
        var isFirst: [Bool] = []
        for processor in processors {
            // The file names the threads of a core, in ascending order: "0,4" or "0-1".
            let first = siblings(processor)?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
            isFirst.append(first ?? processor == processor || !processors.contains(first ?? processor))
        }
        let pairs = zip(processors, isFirst)
        return pairs.filter(\.1).map(\.0) + pairs.filter { !$0.1 }.map(\.0)
    }

    private static func siblingsFile(of processor: Int) -> String {
        "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list"
    }
}
