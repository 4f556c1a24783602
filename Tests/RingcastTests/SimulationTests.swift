import ReactorTesting
import Testing

/// Worlds of several loops and clients under faults; see `SimulatedWorld`. `Scripts/simulate` runs many of them.
@Suite struct SimulationTests {
    /// `WorldSeries` says how many, and which.
    @Test func `every world keeps what was promised`() {
        var sum = WorldSum()
        let complaint = WorldSeries("Scripts/simulate", count: 60).run("\(sum)") { seed, steps, tell in
            var plan = SimulationPlan(seed: seed)
            if let steps { plan.steps = steps }
            let (complaint, world) = SimulatedWorld.play(plan, tell: tell)
            sum += world
            return WorldSeries.Outcome(complaint: complaint, steps: plan.steps, sum: "\(sum)")
        }
        if let complaint {
            Issue.record("\(complaint)")
            return
        }
        #expect(sum.worlds == 1 || sum.faults > 0 && sum.publishes > 0)
        #expect(sum.worlds < 60 || sum.resumes > 0 && sum.replays > 0 && sum.gaps > 0)
    }

    @Test(arguments: [[], [3], [0, 1, 2, 5, 7, 8], [1, 3, 5]])
    func `steps are written as ranges and read again`(steps: [Int]) {
        #expect(StepShrinking.steps(from: StepShrinking.text(of: steps)) == steps)
    }

    /// The same seed does the same, or nobody could look for what it found.
    @Test func `a world repeats itself`() {
        let plans = (1...40).lazy.map { SimulationPlan(seed: $0) }.filter { !$0.isSecure }
        for plan in plans.prefix(5) {
            let worlds = (0..<2).map { _ in SimulatedWorld.play(plan) }
            #expect(worlds[0] == worlds[1])
        }
    }
}
