import Testing

@testable import LoadTesting

@Suite struct QueueTests {
    @Test func `times come out as they went in`() {
        var queue = TimeQueue()
        var expected: [UInt64] = []
        var taken: [UInt64] = []
        for time in 0..<1_000 as Range<UInt64> {
            queue.append(time)
            expected.append(time)
            if time % 3 != 0, let first = queue.takeFirst() { taken.append(first) }
        }
        while let first = queue.takeFirst() { taken.append(first) }
        #expect(taken == expected)
        #expect(queue.takeFirst() == nil)
    }

    @Test func `the earliest user acts first, and none before the time`() {
        var queue = DueQueue()
        var random = SystemRandomNumberGenerator()
        let moments = (0..<500).map { _ in UInt64.random(in: 0..<1_000, using: &random) }
        for (user, moment) in moments.enumerated() { queue.add(user, at: moment) }
        var seen: [UInt64] = []
        for now in stride(from: 0, through: 1_000, by: 50) as StrideThrough<UInt64> {
            while let due = queue.takeDue(by: now) {
                #expect(due.at <= now && moments[due.user] == due.at)
                seen.append(due.at)
            }
        }
        #expect(seen == moments.sorted() && queue.isEmpty)
    }

    private func layout(_ change: (inout LoadPlan) -> Void) -> FanoutLayout {
        var plan = LoadPlan(workload: .slow, url: "ws://h")
        change(&plan)
        return FanoutLayout(plan: plan)
    }

    @Test(arguments: [(100, 1, 0.1, 10), (100, 2, 0.5, 50), (99, 3, 1.0, 99), (10, 1, 0.0, 0), (1_000, 10, 0.25, 250)])
    func `the stalled share of the subscribers is stalled, topic by topic`(
        subscribers: Int, topics: Int, share: Double, stalled: Int
    ) {
        let layout = layout { ($0.subscribers, $0.topics, $0.stalled) = (subscribers, topics, share) }
        let numbers = (0..<subscribers).filter { layout.isStalled($0) }
        #expect(abs(numbers.count - stalled) <= topics)
        let perTopic = (0..<topics).map { topic in numbers.count { layout.topic(ofSubscriber: $0) == topic } }
        #expect((perTopic.max() ?? 0) - (perTopic.min() ?? 0) <= 1)
    }

    @Test func `readers are counted by topic and worker`() {
        let layout = layout {
            ($0.subscribers, $0.publishers, $0.topics, $0.loops, $0.stalled) = (10, 3, 2, 2, 0)
        }
        // Subscribers take topics and workers in turn, so that an even number of both goes together.
        #expect(layout.readers == [[5, 0], [0, 5], [5, 0]])
        #expect(layout.mostPublishersOfATopic == 2 && layout.place(ofPublisher: 2) == 1)
    }

    @Test func `a publish is complete when the slowest worker has it`() {
        let progress = FanoutProgress(subscribers: [[5, 0, 3]])
        progress.store(7, publisher: 0, worker: 0)
        progress.store(9, publisher: 0, worker: 1)
        #expect(progress.completed(by: 0) == 0)
        progress.store(4, publisher: 0, worker: 2)
        #expect(progress.completed(by: 0) == 4)
    }
}
