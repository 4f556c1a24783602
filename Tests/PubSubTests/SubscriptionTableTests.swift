import Testing

@testable import PubSub

@Suite struct SubscriptionTableTests {
    let registry = TopicRegistry(loopCount: 2)
    let table: SubscriptionTable
    /// A table's own.
    static let idleTopicLimit = 512

    init() {
        table = SubscriptionTable(loop: 1, registry: registry, maxTopicsPerSubscriber: 3)
    }

    @Test func `a socket without subscriptions pays 4 bytes, and 16 per membership`() {
        #expect(MemoryLayout<MembershipList>.size == 4)
        #expect(MemoryLayout<Membership>.stride == 16)
        #expect(MemoryLayout<LocalTopic.Member>.stride == 16)
        #expect(MembershipList.empty.isEmpty)
    }

    @Test func `subscribing twice changes nothing the second time`() {
        var list = MembershipList()
        #expect(table.subscribe(1, memberships: &list, to: "a") == .added)
        #expect(table.subscribe(1, memberships: &list, to: "a") == .already)
        #expect(table.visited("a") == [1])
        #expect(registry.list().map(\.subscribers) == [1])
        #expect(table.unsubscribe(memberships: &list, from: "a"))
        #expect(!table.unsubscribe(memberships: &list, from: "a"))
        #expect(list.isEmpty && registry.list().isEmpty)
    }

    @Test func `topics are listed in the order of subscription`() {
        var list = MembershipList()
        for topic: Topic in ["c", "a", "b"] { _ = table.subscribe(1, memberships: &list, to: topic) }
        #expect(table.topics(of: list) == ["c", "a", "b"])
        #expect(table.topicCount(of: list) == 3)
        #expect(table.unsubscribe(memberships: &list, from: "a"))
        #expect(table.topics(of: list) == ["c", "b"])
        #expect(table.isSubscribed(list, to: "c") && !table.isSubscribed(list, to: "a"))
    }

    @Test func `a subscriber at its bound of topics gets no more`() {
        var list = MembershipList()
        for topic: Topic in ["a", "b", "c"] { _ = table.subscribe(1, memberships: &list, to: topic) }
        #expect(table.subscribe(1, memberships: &list, to: "d") == .tooMany)
        #expect(table.subscribe(1, memberships: &list, to: "b") == .already)
        #expect(table.unsubscribe(memberships: &list, from: "b"))
        #expect(table.subscribe(1, memberships: &list, to: "d") == .added)
    }

    @Test func `a loop is interested from its first to its last subscriber`() {
        var (one, two) = (MembershipList(), MembershipList())
        let entry = table.entry(for: "a")
        #expect(!entry.isInterested(1))
        _ = table.subscribe(1, memberships: &one, to: "a")
        _ = table.subscribe(2, memberships: &two, to: "a")
        #expect(entry.isInterested(1) && !entry.isInterested(0))
        #expect(!entry.isInterestedElsewhere(than: 1) && entry.isInterestedElsewhere(than: 0))
        table.unsubscribeAll(memberships: &one)
        #expect(entry.isInterested(1))
        table.unsubscribeAll(memberships: &two)
        #expect(!entry.isInterested(1))
        #expect(entry.subscriberCount == 0)
    }

    @Test func `a visitor may unsubscribe everyone and subscribe others`() {
        var lists = [MembershipList](repeating: .empty, count: 12)
        for number in 0..<10 { _ = table.subscribe(number, memberships: &lists[number], to: "a") }
        var visited: [Int] = []
        table.visit(table.entry(for: "a")) { visitor in
            visited.append(visitor)
            if visited.count != 3 { return }
            for gone in [0, 2, 5, 8, 9] { table.unsubscribeAll(memberships: &lists[gone]) }
            for new in [10, 11, 5] { _ = table.subscribe(new, memberships: &lists[new], to: "a") }
            #expect(table.visited("a") == [1, 3, 4, 6, 7, 10, 11, 5], "a visit inside a visit sees the changes")
        }
        #expect(visited == [0, 1, 2, 3, 4, 6, 7])
        #expect(Set(table.visited("a")) == [1, 3, 4, 5, 6, 7, 10, 11])
        #expect(table.localTopic(of: table.entry(for: "a"))?.end == 8, "no place stays empty behind the visit")
        #expect(table.localSubscriberCount(of: table.entry(for: "a")) == 8)
        for number in lists.indices { table.unsubscribeAll(memberships: &lists[number]) }
        #expect(table.visited("a") == [] && registry.list().isEmpty)
    }

    @Test func `topics that come and go by the hundred thousand leave no memory behind`() {
        let table = SubscriptionTable(loop: 0, registry: registry, maxTopicsPerSubscriber: .max)
        var list = MembershipList()
        for round in 0..<4 {
            for number in 0..<50_000 {
                _ = table.subscribe(1, memberships: &list, to: Topic("\(round)/\(number)"))
                // Half of them leave at once, the others together.
                if number % 2 == 0 { _ = table.unsubscribe(memberships: &list, from: Topic("\(round)/\(number)")) }
            }
            table.unsubscribeAll(memberships: &list)
            #expect(table.topicCount <= Self.idleTopicLimit)
            #expect(table.topicCapacity <= 4 * Self.idleTopicLimit)
            #expect(table.memberships.slotCount == 0)
            #expect(registry.count <= Self.idleTopicLimit)
        }
    }

    @Test func `publishing to ever new topics leaves no memory behind`() {
        for number in 0..<20_000 { _ = table.entry(for: Topic("\(number)")) }
        #expect(table.topicCount <= Self.idleTopicLimit + 1)
        #expect(registry.count <= Self.idleTopicLimit + 1)
    }

    @Test func `a table that goes takes its subscribers along`() {
        let entry = table.entry(for: "a")
        do {
            let other = SubscriptionTable(loop: 0, registry: registry)
            var list = MembershipList()
            _ = other.subscribe(1, memberships: &list, to: "a")
            _ = other.subscribe(1, memberships: &list, to: "b")
            #expect(entry.isInterested(0) && entry.subscriberCount == 1)
        }
        #expect(!entry.isInterested(0) && entry.subscriberCount == 0)
        #expect(registry.count == 1)
    }

    @Test func `more than 64 loops are told apart`() {
        let registry = TopicRegistry(loopCount: 130)
        for loop in [0, 63, 64, 129] {
            let table = SubscriptionTable(loop: loop, registry: registry)
            var list = MembershipList()
            _ = table.subscribe(1, memberships: &list, to: "a")
            let entry = registry.find("a")!
            var interested: [Int] = []
            entry.forEachInterestedLoop { interested.append($0) }
            #expect(interested == [loop] && entry.isInterested(loop))
            table.unsubscribeAll(memberships: &list)
        }
    }
}

/// Subscribers are numbers here, dressed up as addresses that nothing looks behind.
extension SubscriptionTable {
    func subscribe(_ number: Int, memberships list: inout MembershipList, to topic: Topic) -> SubscribeResult {
        let address = unsafe UnsafeMutableRawPointer(bitPattern: (number + 1) << 4)!
        return unsafe subscribe(address, memberships: &list, to: topic)
    }

    func visit(_ entry: TopicEntry, _ body: (Int) -> Void) {
        unsafe forEachSubscriber(of: entry) { body(Int(bitPattern: $0) >> 4 - 1) }
    }

    func visited(_ topic: Topic) -> [Int] {
        var numbers: [Int] = []
        visit(entry(for: topic)) { numbers.append($0) }
        return numbers
    }
}
