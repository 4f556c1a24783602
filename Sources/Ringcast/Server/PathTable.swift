/// The paths that a loop's sockets were asked for at: each is kept once, as long as it has sockets, so that lines of
/// the log can say them and no socket pays for it.
struct PathTable {
    /// So many different paths are kept whole; of others the first part is. So many of those at most, too.
    static let bound = 4_096
    /// Bytes of a path that are kept.
    static let longest = 128

    private struct Entry {
        let path: String
        var sockets = 0
    }

    private var numbers: [String: UInt32] = [:]
    /// By their numbers; 0 stands for none.
    private var entries: [Entry?] = [nil]
    private var free: [UInt32] = []

    /// Different paths that are kept.
    var count: Int { numbers.count }

    subscript(number: UInt32) -> String? { entries[Int(number)]?.path }

    /// Notes a socket of this path.
    /// - Returns: the path's number; 0 if there is no room for it.
    mutating func keep(_ path: String) -> UInt32 {
        if let number = numbers[path] { return keep(number) }
        let shown = numbers.count < Self.bound ? Self.shown(path) : Self.shown(Self.firstPart(of: path))
        if let number = numbers[shown] { return keep(number) }
        guard numbers.count < 2 * Self.bound else { return 0 }
        let number: UInt32
        if let last = free.popLast() {
            number = last
        } else {
            number = UInt32(entries.count)
            entries.append(nil)
        }
        entries[Int(number)] = Entry(path: shown)
        numbers[shown] = number
        return keep(number)
    }

    private mutating func keep(_ number: UInt32) -> UInt32 {
        entries[Int(number)]?.sockets += 1
        return number
    }

    /// Notes that one of the path's sockets is gone.
    mutating func release(_ number: UInt32) {
        guard let entry = entries[Int(number)] else { return }
        guard entry.sockets == 1 else {
            entries[Int(number)]?.sockets -= 1
            return
        }
        numbers[entry.path] = nil
        entries[Int(number)] = nil
        free.append(number)
    }

    /// A path as logs show it: on one line, and not too long.
    static func shown(_ path: String) -> String {
        let line = path.onOneLine
        return line.utf8.count <= longest ? line : String(line.prefix(utf8Count: longest))
    }

    /// `/rooms/…` of `/rooms/17/members`.
    private static func firstPart(of path: String) -> String {
        let parts = path.split(separator: "/", maxSplits: 1)
        return parts.count < 2 ? path : "/\(parts[0])/…"
    }
}
