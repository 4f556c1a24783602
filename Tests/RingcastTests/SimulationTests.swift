import Foundation
import ReactorTesting
import Testing

/// Worlds of several loops and clients under faults; see `SimulatedWorld`. `Scripts/simulate` runs many of them,
/// `RINGCAST_SEED` repeats one.
@Suite struct SimulationTests {
    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test func `every world keeps what was promised`() {
        let start = Self.setting("RINGCAST_SEED")
        let count = start == nil ? Self.setting("RINGCAST_SEEDS") ?? 150 : 1
        let first = start ?? .random(in: 0...UInt64.max / 2)
        var (faults, turns, publishes) = (0, 0, 0)
        for seed in first..<first + count {
            var random = SeededGenerator(seed: ~seed)
            let world = SimulatedWorld(seed: seed)
            let complaint = world.run(steps: Int.random(in: 50...600, using: &random))
            faults += world.faults
            turns += world.turns
            publishes += world.ledger.publishes
            guard let complaint else { continue }
            Issue.record("\(complaint): RINGCAST_SEED=\(seed) swift test --filter SimulationTests")
            return
        }
        print("\(count) worlds from \(first): \(faults) faults, \(turns) turns, \(publishes) publishes")
        #expect(faults > 0 && publishes > 0)
    }
}
