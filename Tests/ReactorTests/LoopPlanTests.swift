import SystemCalls
import Testing

@testable import Reactor

/// How many loops there are, and where.
@Suite struct LoopPlanTests {
    private func plan(
        _ loops: LoopCount = .perCore, pins: Bool? = nil, allowed: [Int] = [0, 2, 4, 6], quota: Int? = nil
    ) throws -> LoopPlan {
        try LoopPlan(
            LoopGroupConfiguration(loops: loops, pinsThreads: pins), allowed: allowed, quota: quota,
            spread: { $0 })
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

    @Test func `a number that is given stands, and is pinned by itself only if each processor gets a loop`() throws {
        #expect(try plan(.count(4)).processors == [0, 2, 4, 6])
        #expect(try plan(.count(1)).processors == nil, "forty processes of one loop would be on the first processor")
        #expect(try plan(.count(3), pins: true).processors == [0, 2, 4])
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
        #expect(CPUQuota.processors(cpuMax: text) == count)
    }

    @Test func `the smallest quota of the group and its ancestors holds, in both versions of cgroups`() {
        func quota(_ files: [String: String]) -> Int? { CPUQuota(read: { files[$0] }).processors }
        let unified = "0::/pod/ctr\n"
        #expect(quota([:]) == nil)
        #expect(quota(["/proc/self/cgroup": unified, "/sys/fs/cgroup/pod/ctr/cpu.max": "max 100000\n"]) == nil)
        #expect(
            quota([
                "/proc/self/cgroup": unified, "/sys/fs/cgroup/pod/ctr/cpu.max": "800000 100000\n",
                "/sys/fs/cgroup/pod/cpu.max": "150000 100000\n", "/sys/fs/cgroup/cpu.max": "max 100000\n",
            ]) == 2)
        #expect(quota(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "50000 100000\n"]) == 1)
        let version1 = "4:memory:/a\n3:cpu,cpuacct:/a/b\n0::/\n"
        #expect(
            quota([
                "/proc/self/cgroup": version1, "/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us": "-1\n",
                "/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us": "100000\n",
                "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "300000\n",
                "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
            ]) == 3)
        // A container that sees the host's name of its group, and its own files at the root.
        #expect(quota(["/proc/self/cgroup": "0::/../x\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n"]) == 2)
    }

    @Test func `loops are placed on one thread of each physical core first`() {
        let siblings = [0: "0,4\n", 1: "1,5\n", 4: "0,4\n", 5: "1,5\n"]
        #expect(Processors.spreadOverCores([0, 1, 4, 5], siblings: { siblings[$0] }) == [0, 1, 4, 5])
        let pairs = [0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3"]
        #expect(Processors.spreadOverCores([0, 1, 2, 3], siblings: { pairs[$0] }) == [0, 2, 1, 3])
        #expect(Processors.spreadOverCores([1, 3], siblings: { pairs[$0] }) == [1, 3], "the firsts may not be used")
        #expect(Processors.spreadOverCores([0, 1], siblings: { _ in nil }) == [0, 1])
    }
}
