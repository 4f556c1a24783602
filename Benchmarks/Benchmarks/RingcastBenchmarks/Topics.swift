import Benchmark
import TopicSources

/// One loop's topic table: subscribing, leaving, and going through a topic's subscribers. Times are per subscriber.
func topicBenchmarks() {
    for count in [10, 1_000] {
        Benchmark("topics.subscribe.\(count)") { benchmark in
            let table = SubscriptionTable(loop: 0, registry: TopicRegistry(loopCount: 2))
            let subscribers = Subscribers(count)
            var lists = Array(repeating: MembershipList(), count: count)
            for _ in benchmark.scaledIterations {
                for index in 0..<count {
                    blackHole(table.subscribe(subscribers[index], memberships: &lists[index], to: "lobby"))
                }
                for index in 0..<count { table.unsubscribeAll(memberships: &lists[index]) }
            }
        }
        Benchmark("topics.visit.\(count)") { benchmark in
            let table = SubscriptionTable(loop: 0, registry: TopicRegistry(loopCount: 2))
            let subscribers = Subscribers(count)
            var lists = Array(repeating: MembershipList(), count: count)
            for index in 0..<count { _ = table.subscribe(subscribers[index], memberships: &lists[index], to: "lobby") }
            let entry = table.entry(for: "lobby")
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { table.forEachSubscriber(of: entry) { blackHole($0) } }
            benchmark.stopMeasurement()
            for index in 0..<count { table.unsubscribeAll(memberships: &lists[index]) }
        }
    }
    Benchmark("topics.find.10000") { benchmark in
        let table = SubscriptionTable(loop: 0, registry: TopicRegistry(loopCount: 2))
        let subscribers = Subscribers(1)
        var list = MembershipList()
        let topics = (0..<10_000).map { Topic("room/\($0)") }
        for topic in topics { _ = table.subscribe(subscribers[0], memberships: &list, to: topic) }
        benchmark.startMeasurement()
        for index in benchmark.scaledIterations { blackHole(table.entry(for: topics[index % topics.count])) }
        benchmark.stopMeasurement()
        table.unsubscribeAll(memberships: &list)
    }
}

/// Addresses to be subscribers, which the table never looks behind.
private final class Subscribers {
    private let memory: UnsafeMutableRawPointer

    init(_ count: Int) { memory = .allocate(byteCount: count, alignment: 1) }
    deinit { memory.deallocate() }

    subscript(_ index: Int) -> UnsafeMutableRawPointer { memory + index }
}
