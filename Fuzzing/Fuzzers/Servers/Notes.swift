/// What handlers have seen, in order. Handlers have to be sendable; here all run on the one thread there is.
final class Notes: @unchecked Sendable {
    private(set) var lines: [String] = []

    func add(_ line: String) { lines.append(line) }

    func count(of beginning: String) -> Int { lines.count { $0.hasPrefix(beginning) } }
}
