internal import CSystemCalls

/// The processors that this process may use.
package enum Processors {
    /// The calling thread's affinity mask, ascending, as it was before `PinnedThreads` bound it.
    package static var allowed: [Int] { PinnedThreads.allowedBefore ?? allowed(of: 0) }

    /// A thread's affinity mask (0: the calling one), ascending; empty if there is no such thread.
    package static func allowed(of thread: Int32) -> [Int] {
        var list = [Int32](repeating: 0, count: 4096)
        let count = unsafe ringcast_allowed_processors(thread, &list, Int32(list.count))
        return list.prefix(max(0, min(Int(count), list.count))).map(Int.init)
    }

    /// The smallest quota of the process's cgroups, rounded up; nil where there is none.
    package static var quota: Int? { CPUQuota(read: SystemFile.read).processors }

    /// `processors` with one thread of each physical core first, so that fewer loops than threads share no core.
    package static func spreadOverCores(
        _ processors: [Int], siblings: (Int) -> String? = { threadSiblings(of: $0) }
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

    /// What the kernel's file says of the threads of a processor's core; nil where there is none.
    package static func threadSiblings(of processor: Int) -> String? {
        SystemFile.read("/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list")
    }

    /// Restricts a thread (0: the calling one), and what it starts, to these processors, if the kernel allows it.
    package static func restrict(thread: Int32, to processors: [Int]) {
        // Safe: the array outlives the call.
        _ = unsafe ringcast_restrict_thread(thread, processors.map(Int32.init), Int32(processors.count))
    }
}
