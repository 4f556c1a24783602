package import SimulatedKernel

/// Makes the steps of a failed world fewer: whole runs of them are left out as long as something still goes wrong.
package enum StepShrinking {
    /// - Parameters:
    ///   - tries: worlds that are run at most.
    ///   - isBroken: runs a world with these steps, and says whether something goes wrong in it.
    package static func shrunk(_ steps: [Int], tries: Int = 400, isBroken: ([Int]) -> Bool) -> [Int] {
        var best = steps
        var left = tries
        var size = max(1, steps.count / 2)
        while left > 0 {
            var start = 0
            var hasShrunk = false
            while start < best.count, left > 0 {
                var candidate = best
                candidate.removeSubrange(start..<min(start + size, best.count))
                left -= 1
                if isBroken(candidate) {
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
    package static func text(of steps: [Int]) -> String {
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
    package static func steps(from text: String) -> [Int]? {
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

extension SeededGenerator {
    /// The generator of one step of a world: each has its own, so that leaving one out changes no other.
    package init(seed: UInt64, step: Int) {
        var mixer = SeededGenerator(seed: seed ^ UInt64(step + 1) &* 0xD134_2543_DE82_EF95)
        self.init(seed: mixer.next())
    }
}
