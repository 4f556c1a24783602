/// What users do in the workload `mixed`, phase by phase. Read from a text file:
///
/// ```
/// # Anything behind a # is a remark. Times have a unit: 500ms, 10s, 2m. Ranges are written 1s..3s.
/// path /echo 80                 # where users go, and how many of a hundred; a message waits for its answer
/// path /topic/{topic} 20 quiet  # quiet: nothing is waited for
/// size 20..400                  # bytes of a message
///
/// phase ramp-up
///     duration 10s
///     users 0 -> 500            # the number changes evenly
///     think 1s..3s              # between an answer and the next message
/// phase steady
///     duration 30s
///     users 500
/// ```
///
/// A phase keeps what it does not say from the one before it.
package struct Scenario: Equatable, Sendable {
    package var paths: [Path]
    package var size: ClosedRange<Int>
    package var phases: [Phase]

    package struct Path: Equatable, Sendable {
        package var path: String
        package var weight: Double
        package var waitsForAnswer: Bool
    }

    package struct Phase: Equatable, Sendable {
        package var name: String
        /// Seconds.
        package var duration: Double
        package var users: (from: Int, to: Int)
        /// Seconds.
        package var think: ClosedRange<Double>

        package static func == (left: Phase, right: Phase) -> Bool {
            left.name == right.name && left.duration == right.duration && left.users == right.users
                && left.think == right.think
        }
    }

    package var duration: Double { phases.reduce(0) { $0 + $1.duration } }
    package var mostConnections: Int { phases.map { max($0.users.from, $0.users.to) }.max() ?? 0 }

    /// How many users there are to be after so many seconds, and how long they think; nil behind the scenario's end.
    package func moment(at seconds: Double) -> (users: Int, think: ClosedRange<Double>)? {
        var start = 0.0
        for phase in phases {
            if seconds < start + phase.duration {
                let share = (seconds - start) / phase.duration
                let users = Double(phase.users.from) + share * Double(phase.users.to - phase.users.from)
                return (Int(users.rounded()), phase.think)
            }
            start += phase.duration
        }
        return nil
    }

    /// The path that a random number from 0 to 1 chooses, by the paths' weights.
    package func path(at share: Double) -> Path {
        var rest = share * paths.reduce(0) { $0 + $1.weight }
        for path in paths {
            rest -= path.weight
            if rest < 0 { return path }
        }
        return paths[paths.count - 1]
    }
}
