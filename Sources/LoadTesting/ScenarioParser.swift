extension Scenario {
    /// Reads a scenario file.
    /// - Throws: a sentence with the number of the line.
    package static func parse(_ text: String) throws(LoadFailure) -> Scenario {
        var parser = ScenarioParser()
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            guard let complaint = parser.read(line.prefix { $0 != "#" }) else { continue }
            throw LoadFailure("line \(index + 1) of the scenario: \(complaint)")
        }
        let scenario = parser.scenario
        if scenario.phases.isEmpty { throw LoadFailure("the scenario has no phase: begin one with 'phase NAME'") }
        for phase in scenario.phases where phase.duration <= 0 {
            throw LoadFailure("phase '\(phase.name)' of the scenario has no duration: say for instance 'duration 10s'")
        }
        if scenario.mostConnections == 0 {
            throw LoadFailure("the scenario has no users: say for instance 'users 100'")
        }
        return scenario
    }
}

private struct ScenarioParser {
    private var paths: [Scenario.Path] = []
    private var size = 20...20
    private var phases: [Scenario.Phase] = []

    var scenario: Scenario {
        let all = paths.isEmpty ? [Scenario.Path(path: "/echo", weight: 100, waitsForAnswer: true)] : paths
        return Scenario(paths: all, size: size, phases: phases)
    }

    /// Reads a line without its remark. Returns what is wrong with it, if anything is.
    mutating func read(_ line: Substring) -> String? {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let keyword = words.first else { return nil }
        let rest = Array(words.dropFirst())
        switch keyword {
        case "path": return readPath(rest)
        case "size": return readSize(rest)
        case "phase": return beginPhase(rest)
        case "duration": return inPhase { $0.readDuration(rest) }
        case "users": return inPhase { $0.readUsers(rest) }
        case "think": return inPhase { $0.readThink(rest) }
        default: return "'\(keyword)' is none of path, size, phase, duration, users, think"
        }
    }

    private mutating func readPath(_ words: [String]) -> String? {
        let usage = "a path is written 'path /echo 80', with 'quiet' behind it if nothing comes back"
        guard let path = words.first, path.hasPrefix("/"), words.count <= 3 else { return usage }
        let weight = words.count > 1 ? Double(words[1]) : 100
        guard let weight, weight > 0, weight.isFinite else { return usage }
        if words.count == 3, words[2] != "quiet" { return usage }
        paths.append(Scenario.Path(path: path, weight: weight, waitsForAnswer: words.count < 3))
        return nil
    }

    private mutating func readSize(_ words: [String]) -> String? {
        guard words.count == 1, let range = range(words[0], { Int($0) }), range.lowerBound >= 0,
            range.upperBound <= 16 << 20
        else { return "a size is written 'size 20' or 'size 20..400', in bytes, at most 16777216" }
        size = range
        return nil
    }

    private mutating func beginPhase(_ words: [String]) -> String? {
        guard !words.isEmpty else { return "a phase needs a name: 'phase steady'" }
        let last = phases.last
        let users = last.map { ($0.users.to, $0.users.to) } ?? (0, 0)
        phases.append(
            Scenario.Phase(name: words.joined(separator: " "), duration: 0, users: users, think: last?.think ?? 1...1))
        return nil
    }

    private mutating func inPhase(_ read: (inout Scenario.Phase) -> String?) -> String? {
        phases.isEmpty ? "this belongs into a phase: begin one with 'phase NAME'" : read(&phases[phases.count - 1])
    }
}

extension Scenario.Phase {
    fileprivate mutating func readDuration(_ words: [String]) -> String? {
        guard words.count == 1, let time = Units.microseconds(words[0]), time > 0 else {
            return "a duration is written 'duration 10s'"
        }
        duration = time / 1e6
        return nil
    }

    fileprivate mutating func readUsers(_ words: [String]) -> String? {
        let numbers = words.filter { $0 != "->" }.compactMap { Int($0) }
        let isRamp = words.count == 3 && words[1] == "->" && numbers.count == 2
        guard isRamp || (words.count == 1 && numbers.count == 1), numbers.allSatisfy({ 0...10_000_000 ~= $0 }) else {
            return "users are written 'users 500' or 'users 0 -> 500'"
        }
        users = (numbers[0], numbers[numbers.count - 1])
        return nil
    }

    fileprivate mutating func readThink(_ words: [String]) -> String? {
        guard words.count == 1, let range = range(words[0], { Units.microseconds($0) }), range.lowerBound >= 0 else {
            return "think times are written 'think 1s' or 'think 1s..3s'"
        }
        think = range.lowerBound / 1e6...range.upperBound / 1e6
        return nil
    }
}

/// The range that is written `a` or `a..b`, with `a` not above `b`.
private func range<Bound: Comparable>(_ text: String, _ bound: (String) -> Bound?) -> ClosedRange<Bound>? {
    guard let dots = text.firstRange(of: "..") else { return bound(text).map { $0...$0 } }
    guard let low = bound(String(text[..<dots.lowerBound])), let high = bound(String(text[dots.upperBound...])),
        low <= high
    else { return nil }
    return low...high
}
