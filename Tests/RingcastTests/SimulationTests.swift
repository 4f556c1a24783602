import Foundation
import ReactorTesting
import Testing

/// Worlds of several loops and clients under faults; see `SimulatedWorld`. `Scripts/simulate` runs many of them.
@Suite struct SimulationTests {
    private static func setting(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
    private static func number(_ name: String) -> UInt64? { setting(name).flatMap { UInt64($0) } }

    /// `RINGCAST_SEEDS` says how many worlds, `RINGCAST_MINUTES` for how long at the most, `RINGCAST_SEED` the first,
    /// `RINGCAST_SIMULATED_STEPS` which of its steps; with `RINGCAST_SIMULATION_TOLD` it is told what happens.
    @Test func `every world keeps what was promised`() {
        let count = Self.number("RINGCAST_SEEDS") ?? 60
        let end = Self.setting("RINGCAST_MINUTES").flatMap { Double($0) }.map {
            ContinuousClock.now + .seconds(60 * $0)
        }
        let first = Self.number("RINGCAST_SEED") ?? .random(in: 0...UInt64.max / 2)
        let tells = Self.setting("RINGCAST_SIMULATION_TOLD") != nil
        let isAlone = Self.setting("RINGCAST_SEEDS") != nil
        let steps = Self.setting("RINGCAST_SIMULATED_STEPS").flatMap(SimulationShrinking.steps(from:))
        var sum = WorldSum()
        for seed in first..<first + count where end.map({ ContinuousClock.now < $0 }) ?? true {
            if isAlone { say("world \(seed) behind \(sum)") }
            var plan = SimulationPlan(seed: seed)
            if let steps { plan.steps = steps }
            let world = SimulatedWorld(plan, tell: tells ? { say($0) } : nil)
            let complaint = world.run()
            sum.add(world)
            guard let complaint else { continue }
            let command = "Scripts/simulate --seeds 1 --seed \(seed)"
            Issue.record("world \(seed): \(complaint): \(command)")
            if isAlone {
                say("broken: world \(seed): \(complaint): \(command)")
                shrink(plan, command)
            }
            return
        }
        say("simulated \(sum)")
        #expect(sum.worlds == 1 || sum.faults > 0 && sum.publishes > 0)
    }

    private func shrink(_ plan: SimulationPlan, _ command: String) {
        guard Self.setting("RINGCAST_SHRINKS") != "no" else { return }
        let shrunk = SimulationShrinking.shrunk(plan)
        let steps = SimulationShrinking.text(of: shrunk.steps)
        say("\(shrunk.steps.count) of its \(plan.steps.count) steps are enough: \(command) --steps \(steps)")
    }

    /// A line that is not kept back, so that the log of a process that traps names the world it was in.
    private func say(_ line: String) { try? FileHandle.standardOutput.write(contentsOf: Data("\(line)\n".utf8)) }

    /// What has been done so far.
    private struct WorldSum: CustomStringConvertible {
        var worlds = 0
        var faults = 0
        private var turns = 0
        var publishes = 0
        var description: String { "\(worlds) worlds: \(faults) faults, \(turns) turns, \(publishes) publishes" }

        mutating func add(_ world: SimulatedWorld) {
            worlds += 1
            faults += world.faults
            turns += world.turns
            publishes += world.ledger.publishes
        }
    }

    @Test(arguments: [[], [3], [0, 1, 2, 5, 7, 8], [1, 3, 5]])
    func `steps are written as ranges and read again`(steps: [Int]) {
        #expect(SimulationShrinking.steps(from: SimulationShrinking.text(of: steps)) == steps)
    }

    /// The same seed does the same, or nobody could look for what it found.
    @Test func `a world repeats itself`() {
        let plans = (1...40).lazy.map { SimulationPlan(seed: $0) }.filter { !$0.isSecure }
        for plan in plans.prefix(5) {
            let worlds = (0..<2).map { _ in SimulatedWorld(plan) }
            let complaints = worlds.map { $0.run() }
            #expect(complaints[0] == complaints[1])
            #expect(worlds[0].turns == worlds[1].turns && worlds[0].faults == worlds[1].faults)
        }
    }
}
