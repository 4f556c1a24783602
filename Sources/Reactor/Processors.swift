internal import CIOUring
internal import Glibc

/// The processors that this process may use.
enum Processors {
    /// By affinity mask.
    static var allowed: [Int] {
        var list = [Int32](repeating: 0, count: 4096)
        let count = unsafe ringcast_allowed_processors(&list, Int32(list.count))
        return list.prefix(max(0, min(Int(count), list.count))).map(Int.init)
    }

    /// By the quota of the process's cgroup, rounded up; nil where there is none.
    static var quota: Int? {
        guard let text = readFile("/sys/fs/cgroup/cpu.max") else { return nil }
        return quota(cpuMax: text)
    }

    /// - Parameter text: cgroup v2's `cpu.max`: quota and period in µs, or `max` and the period.
    static func quota(cpuMax text: String) -> Int? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), quota > 0, period > 0 else {
            return nil
        }
        return (quota - 1) / period + 1
    }

    private static func readFile(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
