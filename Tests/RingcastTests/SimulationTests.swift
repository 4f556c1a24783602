import Foundation
import ReactorTesting
import Testing

/// Worlds of several loops and clients under faults; see `SimulatedWorld`. `Scripts/simulate` runs many of them.
@Suite struct SimulationTests {
    private static func setting(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
    private static func number(_ name: String) -> UInt64? { setting(name).flatMap { UInt64($0) } }

    /// `RINGCAST_SEEDS` says how many worlds, `RINGCAST_MINUTES` for how long at the most, `RINGCAST_SEED` the first,
    /// `RINGCAST_SIMULATED_STEPS` which of its steps.
    @Test func `every world keeps what was promised`() {
        let count = Self.number("RINGCAST_SEEDS") ?? 60
        let end = Self.number("RINGCAST_MINUTES").map { ContinuousClock.now + .seconds(60 * Int($0)) }
        let first = Self.number("RINGCAST_SEED") ?? .random(in: 0...UInt64.max / 2)
        let isAlone = Self.setting("RINGCAST_SEEDS") != nil
        var (worlds, faults, turns, publishes) = (0, 0, 0, 0)
        for seed in first..<first + count where end.map({ ContinuousClock.now < $0 }) ?? true {
            // What ends the process needs its world named in the log.
            if isAlone { print("world \(seed)") }
            var plan = SimulationPlan(seed: seed)
            if let steps = Self.setting("RINGCAST_SIMULATED_STEPS").flatMap(SimulationShrinking.steps(from:)) {
                plan.steps = steps
            }
            let world = SimulatedWorld(plan)
            let complaint = world.run()
            worlds += 1
            faults += world.faults
            turns += world.turns
            publishes += world.ledger.publishes
            guard let complaint else { continue }
            let command = "Scripts/simulate --seeds 1 --seed \(seed)"
            Issue.record("world \(worlds): \(complaint): \(command)")
            if isAlone {
                print("world \(worlds): \(complaint): \(command)")
                let shrunk = SimulationShrinking.shrunk(plan)
                let steps = SimulationShrinking.text(of: shrunk.steps)
                print("\(shrunk.steps.count) of its \(plan.steps.count) steps are enough: \(command) --steps \(steps)")
            }
            return
        }
        print("simulated \(worlds) worlds from seed \(first): \(faults) faults, \(turns) turns, \(publishes) publishes")
        #expect(worlds == 1 || faults > 0 && publishes > 0)
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
