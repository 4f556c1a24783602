import Testing

@testable import PubSub

@Suite struct SubscriptionModelTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `tables and registry agree with a set of pairs`(seed: UInt64) {
        // Few topics make crowds, many make idle ones that are forgotten.
        let model = SubscriptionModel(seed: seed, topicCount: seed % 2 == 0 ? 12 : 3_000)
        for _ in 0..<3_000 { model.step(within: false) }
        model.finish()
    }
}

/// Random steps on several loops' tables and on a set of pairs that states what has to hold.
private final class SubscriptionModel {
    struct Pair: Hashable {
        var subscriber: Int
        var topic: Topic
    }

    static let loops = 3
    static let subscribers = 30

    let seed: UInt64
    let topicCount: Int
    let registry = TopicRegistry(loopCount: loops)
    let tables: [SubscriptionTable]
    var random: SeededGenerator
    var lists = [MembershipList](repeating: .empty, count: subscribers)
    var pairs: Set<Pair> = []
    /// Who left since the last publish began.
    var departed: Set<Pair> = []

    init(seed: UInt64, topicCount: Int) {
        self.seed = seed
        self.topicCount = topicCount
        random = SeededGenerator(seed: seed)
        let registry = registry
        tables = (0..<Self.loops).map {
            SubscriptionTable(loop: $0, registry: registry, maxTopicsPerSubscriber: 20)
        }
    }

    func step(within visit: Bool) {
        let subject = Int.random(in: 0..<Self.subscribers, using: &random)
        let table = tables[subject % Self.loops]
        let pair = Pair(subscriber: subject, topic: "t/\(Int.random(in: 0..<topicCount, using: &random))")
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<8:
            let held = pairs.count { $0.subscriber == subject }
            let expected: SubscribeResult = pairs.contains(pair) ? .already : held == 20 ? .tooMany : .added
            let result = table.subscribe(subject, memberships: &lists[subject], to: pair.topic)
            #expect(result == expected, "seed \(seed)")
            if result == .added { pairs.insert(pair) }
        case 8..<12:
            let mine = pairs.filter { $0.subscriber == subject }.map(\.topic.name).sorted()
            let topic = mine.randomElement(using: &random).map { Topic($0) } ?? pair.topic
            let wasMember = pairs.remove(Pair(subscriber: subject, topic: topic)) != nil
            departed.insert(Pair(subscriber: subject, topic: topic))
            #expect(table.unsubscribe(memberships: &lists[subject], from: topic) == wasMember, "seed \(seed)")
        case 12:
            table.unsubscribeAll(memberships: &lists[subject])
            departed.formUnion(pairs.filter { $0.subscriber == subject })
            pairs.subtract(departed.filter { $0.subscriber == subject })
        case 13:
            #expect(table.isSubscribed(lists[subject], to: pair.topic) == pairs.contains(pair), "seed \(seed)")
            let expected = Set(pairs.filter { $0.subscriber == subject }.map(\.topic))
            #expect(Set(table.topics(of: lists[subject])) == expected, "seed \(seed)")
        default:
            if !visit { publish(to: pair.topic, from: tables[Int.random(in: 0..<Self.loops, using: &random)]) }
        }
    }

    /// Visits on every interested loop, changing subscriptions on the way.
    private func publish(to topic: Topic, from publisher: SubscriptionTable) {
        let members = Set(pairs.filter { $0.topic == topic }.map(\.subscriber))
        let entry = publisher.entry(for: topic)
        #expect(entry.subscriberCount == members.count, "seed \(seed)")
        for loop in 0..<Self.loops {
            let local = members.filter { $0 % Self.loops == loop }
            #expect(entry.isInterested(loop) == !local.isEmpty, "seed \(seed)")
            #expect(tables[loop].localSubscriberCount(of: entry) == local.count, "seed \(seed)")
        }
        departed = []
        entry.forEachInterestedLoop { visit(entry, topic, on: $0) }
    }

    private func visit(_ entry: TopicEntry, _ topic: Topic, on loop: Int) {
        let before = Set(pairs.filter { $0.topic == topic && $0.subscriber % Self.loops == loop }.map(\.subscriber))
        var visited: Set<Int> = []
        tables[loop].visit(entry) { visitor in
            #expect(visited.insert(visitor).inserted, "seed \(seed): visited twice")
            #expect(before.contains(visitor), "seed \(seed): has subscribed during the visit")
            #expect(pairs.contains(Pair(subscriber: visitor, topic: topic)), "seed \(seed): is gone")
            if Int.random(in: 0..<4, using: &random) == 0 { step(within: true) }
        }
        let passedOver = before.subtracting(visited).map { Pair(subscriber: $0, topic: topic) }
        #expect(departed.isSuperset(of: passedOver), "seed \(seed): passed over, and had not left")
    }

    /// What is listed is what the set says; once all have left, nothing is kept.
    func finish() {
        let listed = Dictionary(uniqueKeysWithValues: registry.list().map { ($0.topic, $0.subscribers) })
        #expect(listed == Dictionary(grouping: pairs, by: \.topic.name).mapValues(\.count), "seed \(seed)")
        for subject in 0..<Self.subscribers {
            tables[subject % Self.loops].unsubscribeAll(memberships: &lists[subject])
        }
        #expect(registry.list().isEmpty && tables.allSatisfy { $0.memberships.slotCount == 0 }, "seed \(seed)")
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
