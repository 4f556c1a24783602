import CIOUring
import Glibc
import LoadTesting

/// The cores that this process may use.
enum Cores {
    static var available: [Int] {
        var list = [Int32](repeating: 0, count: 4_096)
        // Safe: no more is written than the list's length.
        let count = unsafe ringcast_allowed_processors(&list, Int32(list.count))
        return count > 0 ? list.prefix(Int(count)).map(Int.init) : [0]
    }

    /// Restricts the calling thread, and what it starts, to these cores.
    static func restrictThread(to cores: [Int]) { restrict(thread: 0, to: cores) }

    /// Restricts every thread of the process, and what they start, to these cores.
    static func restrictProcess(to cores: [Int]) {
        for thread in SmallFile.names(in: "/proc/self/task").compactMap({ Int32($0) }) {
            restrict(thread: thread, to: cores)
        }
    }

    private static func restrict(thread: Int32, to cores: [Int]) {
        // A thread that may not be restricted runs where it may. Safe: the array outlives the call.
        _ = unsafe ringcast_restrict_thread(thread, cores.map(Int32.init), Int32(cores.count))
    }
}
