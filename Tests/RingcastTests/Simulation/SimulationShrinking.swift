import ReactorTesting

/// Makes the steps of a failed world fewer: whole runs of them are left out as long as something still goes wrong.
enum SimulationShrinking {
    /// - Parameter tries: worlds that are run at most.
    static func shrunk(_ plan: SimulationPlan, tries: Int = 400) -> SimulationPlan {
        var best = plan
        var left = tries
        var size = max(1, plan.steps.count / 2)
        while left > 0 {
            var start = 0
            var hasShrunk = false
            while start < best.steps.count, left > 0 {
                var candidate = best
                candidate.steps.removeSubrange(start..<min(start + size, best.steps.count))
                left -= 1
                if SimulatedWorld(candidate).run() != nil {
                    best = candidate
                    hasShrunk = true
                } else {
                    start += size
                }
            }
            if size == 1, !hasShrunk { break }
            size = max(1, size / 2)
        }
        return best
    }

    /// Steps as ranges: `0-4,9`.
    static func text(of steps: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for step in steps {
            if let last = ranges.last, last.upperBound + 1 == step {
                ranges[ranges.count - 1] = last.lowerBound...step
            } else {
                ranges.append(step...step)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    /// The steps that such a text names; nil where it names none.
    static func steps(from text: String) -> [Int]? {
        var steps: [Int] = []
        for part in text.split(separator: ",") {
            let bounds = part.split(separator: "-").map { Int($0) }
            guard let first = bounds.first ?? nil, let last = bounds.last ?? nil, bounds.count <= 2, first <= last
            else {
                return nil
            }
            steps += first...last
        }
        return steps
    }
}
