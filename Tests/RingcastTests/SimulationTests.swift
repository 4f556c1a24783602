import Foundation
import ReactorTesting
import Testing

/// Worlds of several loops and clients under faults; see `SimulatedWorld`. `Scripts/simulate` runs many of them.
@Suite struct SimulationTests {
    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    /// `RINGCAST_SEEDS` says how many worlds, `RINGCAST_MINUTES` for how long at the most, `RINGCAST_SEED` the first.
    @Test func `every world keeps what was promised`() {
        let count = Self.setting("RINGCAST_SEEDS") ?? 60
        let end = Self.setting("RINGCAST_MINUTES").map { ContinuousClock.now + .seconds(60 * Int($0)) }
        let first = Self.setting("RINGCAST_SEED") ?? .random(in: 0...UInt64.max / 2)
        var (worlds, faults, turns, publishes) = (0, 0, 0, 0)
        for seed in first..<first + count where end.map({ ContinuousClock.now < $0 }) ?? true {
            var random = SeededGenerator(seed: ~seed)
            // A world that breaks a law of its driver ends the process: the log has to know which.
            if Self.setting("RINGCAST_SEEDS") != nil { print("world \(seed)") }
            let world = SimulatedWorld(seed: seed)
            let complaint = world.run(steps: Int.random(in: 50...600, using: &random))
            worlds += 1
            faults += world.faults
            turns += world.turns
            publishes += world.ledger.publishes
            guard let complaint else { continue }
            Issue.record("world \(worlds): \(complaint): Scripts/simulate --seeds 1 --seed \(seed)")
            return
        }
        print("simulated \(worlds) worlds from seed \(first): \(faults) faults, \(turns) turns, \(publishes) publishes")
        #expect(worlds == 1 || faults > 0 && publishes > 0)
    }
}
