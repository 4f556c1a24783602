import Foundation
import ReactorTesting
import Testing

/// Worlds of three nodes and an engine under faults; see `ClusterWorld`. `Scripts/simulate --cluster` runs many.
@Suite struct ClusterSimulationTests {
    /// `WorldSeries` says how many, and which.
    @Test func `every cluster keeps what was promised`() {
        var sum = ClusterSum()
        let complaint = WorldSeries("Scripts/simulate --cluster", count: 30).run("\(sum)") { seed, steps, tell in
            var plan = ClusterPlan(seed: seed)
            if let steps { plan.steps = steps }
            let (complaint, world) = ClusterWorld.play(plan, tell: tell)
            sum += world
            return WorldSeries.Outcome(complaint: complaint, steps: plan.steps, sum: "\(sum)")
        }
        if let complaint {
            Issue.record("\(complaint)")
            return
        }
        #expect(sum.worlds < 30 || sum.crossings > 0 && sum.gaps > 0 && sum.drops > 0)
    }

    /// The same seed does the same, or nobody could look for what it found.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] != nil))
    func `a cluster repeats itself`() {
        for seed in 1...5 as ClosedRange<UInt64> {
            let worlds = (0..<2).map { _ in ClusterWorld.play(ClusterPlan(seed: seed)) }
            #expect(worlds[0] == worlds[1])
        }
    }
}
