import SystemCalls

/// The cores that this process may use.
enum Cores {
    static var available: [Int] {
        let allowed = Processors.allowed
        return allowed.isEmpty ? [0] : allowed
    }

    /// Restricts the calling thread, and what it starts, to these cores.
    static func restrictThread(to cores: [Int]) { Processors.restrict(thread: 0, to: cores) }

    /// Restricts every thread of the process, and what they start, to these cores.
    static func restrictProcess(to cores: [Int]) {
        for thread in SystemFile.names(in: "/proc/self/task").compactMap({ Int32($0) }) {
            Processors.restrict(thread: thread, to: cores)
        }
    }
}
