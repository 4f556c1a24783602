import Synchronization
import Testing

@testable import PubSub

@Suite struct TopicRegistryTests {
    @Test func `a topic nobody uses is not found`() {
        #expect(TopicRegistry(loopCount: 1).find("a") == nil)
    }

    @Test func `all loops get the same entry`() {
        let registry = TopicRegistry(loopCount: 2)
        let tables = (0..<2).map { SubscriptionTable(loop: $0, registry: registry) }
        #expect(tables[0].entry(for: "a") === tables[1].entry(for: "a"))
        #expect(registry.find("a") === tables[0].entry(for: "a"))
    }

    @Test func `an entry knows how many subscribers each loop has`() {
        let registry = TopicRegistry(loopCount: 3)
        let tables = (0..<3).map { SubscriptionTable(loop: $0, registry: registry) }
        var lists = Array(repeating: MembershipList(), count: 4)
        for (index, loop) in [0, 2, 2, 2].enumerated() {
            _ = tables[loop].subscribe(index, memberships: &lists[index], to: "a")
        }
        let entry = tables[1].entry(for: "a")
        #expect((0..<3).map { entry.subscriberCount(on: $0) } == [1, 0, 3] && entry.subscriberCount == 4)
        tables[2].unsubscribeAll(memberships: &lists[3])
        _ = tables[2].unsubscribe(memberships: &lists[2], from: "a")
        #expect((0..<3).map { entry.subscriberCount(on: $0) } == [1, 0, 1] && entry.subscriberCount == 2)
    }

    /// Two loops' threads make and forget the same topics; a publish that follows a subscribe must see it, although the
    /// publishing table has known the topic from before and forgets it again and again.
    @Test func `a publish that follows a subscribe on another loop sees it`() async {
        let rounds = 1_000
        let registry = TopicRegistry(loopCount: 2)
        let turn = Turn()
        await withTaskGroup(of: Int.self) { group in
            group.addTask {
                let table = SubscriptionTable(loop: 0, registry: registry)
                for round in 0..<rounds {
                    var list = MembershipList()
                    while turn.number != 2 * round { await Task.yield() }
                    _ = table.subscribe(1, memberships: &list, to: Topic("\(round % 3)"))
                    turn.number = 2 * round + 1
                    while turn.number == 2 * round + 1 { await Task.yield() }
                    table.unsubscribeAll(memberships: &list)
                    // Makes the tables forget.
                    if round % 10 == 0 { for number in 0..<600 { _ = table.entry(for: Topic("x\(number)")) } }
                }
                return 0
            }
            group.addTask {
                let table = SubscriptionTable(loop: 1, registry: registry)
                var missed = 0
                for round in 0..<rounds {
                    if round % 7 == 0 { for number in 0..<600 { _ = table.entry(for: Topic("y\(number)")) } }
                    while turn.number != 2 * round + 1 { await Task.yield() }
                    if !table.entry(for: Topic("\(round % 3)")).isInterested(0) { missed += 1 }
                    turn.number = 2 * round + 2
                }
                return missed
            }
            for await missed in group { #expect(missed == 0) }
        }
    }
}

/// Counts the steps of two sides: even, the subscriber's turn; odd, the publisher's.
private final class Turn: Sendable {
    private let count = Atomic(0)

    var number: Int {
        get { count.load(ordering: .acquiring) }
        set { count.store(newValue, ordering: .releasing) }
    }
}
