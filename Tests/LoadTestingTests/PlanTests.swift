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

    @Test func `numbers beyond all sense are refused, and nothing overflows`() {
        let counts: [WritableKeyPath<LoadPlan, Int>] = [
            \.connections, \.subscribers, \.publishers, \.topics, \.depth, \.window, \.loops, \.size, \.sources,
        ]
        for workload in Workload.allCases {
            for (count, value) in counts.flatMap({ [($0, Int.max), ($0, .min), ($0, 1_000_000_000)] }) {
                var plan = LoadPlan(workload: workload, url: "ws://h")
                plan[keyPath: count] = value
                #expect(plan.objection?.hasPrefix("--") == true)
            }
        }
        let times: [WritableKeyPath<LoadPlan, Double>] = [\.duration, \.warmup, \.connectTimeout, \.stalled]
        for (time, value) in times.flatMap({ [($0, Double.nan), ($0, .infinity), ($0, -1), ($0, 1e300)] }) {
            var plan = LoadPlan(workload: .echo, url: "ws://h")
            plan[keyPath: time] = value
            #expect(plan.objection?.hasPrefix("--") == true)
        }
        for value in [0, -1, .nan, 1e-300, 1e300] {
            var plan = LoadPlan(workload: .echo, url: "ws://h")
            plan.rate = value
            #expect(plan.objection?.hasPrefix("--rate") == true)
            (plan.rate, plan.connectRate) = (nil, value)
            #expect(plan.objection?.hasPrefix("--connect-rate") == true)
        }
    }

    @Test func `a topic that nobody would read is refused`() {
        var plan = LoadPlan(workload: .slow, url: "ws://h")
        plan.stalled = 1
        #expect(plan.objection?.contains("--stalled") == true)
        (plan.stalled, plan.subscribers, plan.topics) = (0.9, 8, 8)
        #expect(plan.objection == nil)
    }

    @Test func `the warm-up is the first part of a scenario`() throws {
        var plan = LoadPlan(workload: .mixed, url: "ws://h")
        plan.scenario = try Scenario.parse("phase a\nduration 4s\nusers 1")
        #expect(plan.objection == nil && plan.measuredSeconds == 3)
        plan.warmup = 4
        #expect(plan.objection?.contains("--warmup") == true)
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
