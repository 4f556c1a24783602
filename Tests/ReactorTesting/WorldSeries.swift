internal import Glibc
internal import SystemCalls

/// Simulated worlds, one after the other, as `Scripts/simulate` asks for them by the environment: `RINGCAST_SEEDS` says
/// how many, `RINGCAST_MINUTES` for how long at the most, `RINGCAST_SEED` the first, `RINGCAST_SIMULATED_STEPS` which
/// of its steps, `RINGCAST_SHRINKS=no` that a failed one is left as it is; with `RINGCAST_SIMULATION_TOLD` it is told
/// what happens.
package struct WorldSeries {
    /// What has become of one world.
    package struct Outcome {
        let complaint: String?
        let steps: [Int]
        let sum: String

        /// - Parameters:
        ///   - complaint: what is wrong, if anything is.
        ///   - steps: those that it had.
        ///   - sum: what has been done in all worlds so far.
        package init(complaint: String?, steps: [Int], sum: String) {
            (self.complaint, self.steps, self.sum) = (complaint, steps, sum)
        }
    }

    private let command: String
    private let count: UInt64
    private let first: UInt64
    private let end: ContinuousClock.Instant?
    private let steps: [Int]?
    private let tells: Bool
    private let shrinks: Bool
    /// Whether somebody has asked for these worlds, who is told where they are.
    private let isAlone: Bool

    /// - Parameters:
    ///   - command: repeats a world, with `--seeds` and `--seed` behind it.
    ///   - count: how many worlds there are if nobody says so.
    package init(_ command: String, count: UInt64) {
        self.command = command
        self.count = Self.number("RINGCAST_SEEDS") ?? count
        first = Self.number("RINGCAST_SEED") ?? .random(in: 0...UInt64.max / 2)
        end = Self.setting("RINGCAST_MINUTES").flatMap { Double($0) }.map { ContinuousClock.now + .seconds(60 * $0) }
        steps = Self.setting("RINGCAST_SIMULATED_STEPS").flatMap { StepShrinking.steps(from: $0) }
        tells = Self.setting("RINGCAST_SIMULATION_TOLD") != nil
        shrinks = Self.setting("RINGCAST_SHRINKS") != "no"
        isAlone = Self.setting("RINGCAST_SEEDS") != nil
    }

    /// Runs the worlds until one breaks a promise.
    /// - Parameters:
    ///   - sum: what has been done so far: nothing.
    ///   - play: runs the world of a seed, with all of its steps or with these.
    /// - Returns: what is wrong, and the command that repeats it; nil if nothing is.
    package func run(
        _ sum: String, play: (_ seed: UInt64, _ steps: [Int]?, _ tell: ((String) -> Void)?) -> Outcome
    ) -> String? {
        var sum = sum
        for seed in first..<first + count where end.map({ ContinuousClock.now < $0 }) ?? true {
            if isAlone { say("world \(seed) behind \(sum)") }
            let outcome = play(seed, steps, tells ? { say($0) } : nil)
            sum = outcome.sum
            guard let complaint = outcome.complaint else { continue }
            let command = "\(command) --seeds 1 --seed \(seed)"
            let sentence = "world \(seed): \(complaint): \(command)"
            if isAlone {
                say("broken: \(sentence)")
                if shrinks { shrink(outcome.steps, command) { play(seed, $0, nil).complaint != nil } }
            }
            return sentence
        }
        say("simulated \(sum)")
        return nil
    }

    private func shrink(_ steps: [Int], _ command: String, isBroken: ([Int]) -> Bool) {
        let shrunk = StepShrinking.shrunk(steps, isBroken: isBroken)
        let text = StepShrinking.text(of: shrunk)
        say("\(shrunk.count) of its \(steps.count) steps are enough: \(command) --steps \(text)")
    }

    /// A line that is not kept back, so that the log of a process that traps names the world it was in.
    private func say(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        // Safe: the bytes are lent for the call alone.
        unsafe bytes.withUnsafeBytes { bytes in
            _ = uninterrupted { unsafe write(STDOUT_FILENO, bytes.baseAddress, bytes.count) }
        }
    }

    private static func setting(_ name: String) -> String? {
        // Safe: the string is copied at once; nothing here changes the environment.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    private static func number(_ name: String) -> UInt64? { setting(name).flatMap { UInt64($0) } }
}
