import Testing

@testable import Reactor

/// How many loops there are, and where.
@Suite struct LoopPlanTests {
    private func plan(
        _ loops: LoopCount = .perCore, pins: Bool? = nil, allowed: [Int] = [0, 2, 4, 6], quota: Int? = nil
    ) throws -> LoopPlan {
        try LoopPlan(LoopGroupConfiguration(loops: loops, pinsThreads: pins), allowed: allowed, quota: quota)
    }

    @Test func `there is one loop for each processor that may be used, and it stays there`() throws {
        let plan = try plan()
        #expect(plan.loopCount == 4 && plan.processors == [0, 2, 4, 6])
    }

    @Test func `a quota below that lowers the number, and no loop is pinned`() throws {
        let limited = try plan(quota: 2)
        #expect(limited.loopCount == 2 && limited.processors == nil)
        let ample = try plan(quota: 4)
        #expect(ample.loopCount == 4 && ample.processors == [0, 2, 4, 6])
        #expect(try plan(pins: true, quota: 2).processors == [0, 2], "unless it is asked for")
    }

    @Test func `a number that is given stands, and more loops than processors are pinned only if asked`() throws {
        #expect(try plan(.count(3)).processors == [0, 2, 4])
        #expect(try plan(.count(3), pins: false).processors == nil)
        #expect(try plan(.count(6)).processors == nil)
        #expect(try plan(.count(6), pins: true).processors == [0, 2, 4, 6, 0, 2])
        #expect(try plan(.count(6), quota: 2).loopCount == 6)
        for count in [0, 1_025, -1] { #expect(throws: ReactorError.self) { try plan(.count(count)) } }
    }

    @Test func `there is a loop also where nothing is known of processors`() throws {
        let plan = try plan(allowed: [])
        #expect(plan.loopCount == 1 && plan.processors == nil)
    }

    @Test(arguments: [
        ("max 100000\n", nil), ("100000 100000\n", 1), ("150000 100000\n", 2), ("200000 100000", 2), ("1000 100000", 1),
        ("", nil), ("x y", nil), ("-1 100000", nil), ("100000 0", nil),
    ])
    func `a cgroup's quota is rounded up to whole processors`(text: String, count: Int?) {
        #expect(Processors.quota(cpuMax: text) == count)
    }
}
