import LoadTesting
import Testing

@Suite struct PlanTests {
    @Test func `a URL without a path gets the workload's own`() {
        let plan = LoadPlan(workload: .fanout, url: "ws://h:1/")
        #expect(plan.url == "ws://h:1/topic/{topic}" && plan.publishURL == "ws://h:1/publish/{topic}")
        #expect(LoadPlan(workload: .chat, url: "wss://h").url == "wss://h/chat")
        #expect(LoadPlan.address(plan.url, topic: 3) == "ws://h:1/topic/load3")
    }

    @Test func `a URL with a path is left alone, and published to as well`() {
        let plan = LoadPlan(workload: .fanout, url: "ws://h/all")
        #expect(plan.url == "ws://h/all" && plan.publishURL == "ws://h/all")
        #expect(LoadPlan(workload: .echo, url: "ws://h/?token=a/b").url == "ws://h/?token=a/b")
    }

    @Test func `a sound plan has nothing said against it`() {
        for workload in Workload.allCases where workload != .mixed {
            #expect(LoadPlan(workload: workload, url: "ws://h").objection == nil)
        }
    }

    @Test func `a count out of range is named`() {
        let cases: [(WritableKeyPath<LoadPlan, Int>, Int, String)] = [
            (\.connections, 0, "--connections"), (\.depth, 0, "--depth"), (\.window, 0, "--window"),
            (\.size, -1, "--size"), (\.size, 17 << 20, "--size"), (\.loops, 0, "--loops"),
        ]
        for (count, value, option) in cases {
            var plan = LoadPlan(workload: .echo, url: "ws://h")
            plan[keyPath: count] = value
            #expect(plan.objection?.contains(option) == true)
        }
    }

    @Test func `what does not go together is refused`() {
        var plan = LoadPlan(workload: .fanout, url: "ws://h")
        plan.size = 10
        #expect(plan.objection?.contains("--size 16") == true)
        plan = LoadPlan(workload: .idle, url: "ws://h")
        plan.rate = 5
        #expect(plan.objection?.contains("--rate") == true)
        #expect(LoadPlan(workload: .mixed, url: "ws://h").objection?.contains("--scenario") == true)
        plan = LoadPlan(workload: .echo, url: "ws://h")
        plan.rate = .nan
        #expect(plan.objection?.contains("--rate") == true)
    }
}
