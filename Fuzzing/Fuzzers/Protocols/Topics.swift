import FuzzSupport
@testable import PubSub

/// Bytes taken for steps on several loops' tables, and on a model that states what has to hold.
enum Topics {
    static func run(_ input: inout FuzzInput) {
        let model = TopicModel(input)
        model.run()
    }
}

private final class TopicModel {
    private static let loops = 3
    private static let subscribers = 8
    private static let topicsPerSubscriber = 4
    /// Two spellings of one topic among them.
    private static let topics: [Topic] = ["a", "caf\u{E9}", "cafe\u{301}", "room/1", "room/2", "z"]
    private static let places = topics.indices.map { topics.firstIndex(of: topics[$0])! }
    /// Nobody subscribes to them.
    private static let idleTopics = (0..<1_000).map { Topic("idle/\($0)") }

    /// A topic by its place among all, the same for both spellings, and as it is spelled this time.
    private struct Choice {
        let topic: Topic
        let place: Int
    }

    private struct Member {
        /// The topic's place.
        var place: Int
        /// Publishes with a stamp below are not for it; 0: all are.
        var floor: UInt64
    }

    private var input: FuzzInput
    private let registry = TopicRegistry(loopCount: loops, retainedTopics: 3, retainedBytes: 40)
    private let tables: [SubscriptionTable]
    private var lists = [MembershipList](repeating: .empty, count: subscribers)
    private var standings = [Standing](repeating: .keepsUp, count: subscribers)
    /// By subscriber, in the order of their subscription.
    private var members = [[Member]](repeating: [], count: subscribers)
    /// By the topics' places.
    private var retained: [Int: [UInt8]] = [:]
    private var visits = 0
    /// Who left a topic while it was visited.
    private var departed: Set<Int> = []
    private var touched = 0

    init(_ input: FuzzInput) {
        self.input = input
        let registry = registry
        tables = (0..<Self.loops).map {
            SubscriptionTable(
                loop: $0, registry: registry, maxTopicsPerSubscriber: Self.topicsPerSubscriber, idleTopicLimit: 6)
        }
    }

    func run() {
        while !input.isEmpty { step() }
        finish()
    }

    private func table(of subscriber: Int) -> SubscriptionTable { tables[subscriber % Self.loops] }
    private func topic() -> Choice {
        let index = input.number(below: Self.topics.count)
        return Choice(topic: Self.topics[index], place: Self.places[index])
    }
    private func topics(of subscriber: Int) -> [Topic] { members[subscriber].map { Self.topics[$0.place] } }
    private func isMember(_ subscriber: Int, of place: Int) -> Bool {
        members[subscriber].contains { $0.place == place }
    }
    /// What `departed` knows a subscriber's leaving of a topic by.
    private func departure(_ subscriber: Int, _ place: Int) -> Int { subscriber * Self.topics.count + place }
    private func pointer(_ subscriber: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: 16 * (subscriber + 1))!
    }
    private func subscribers(of place: Int) -> [Int] { members.indices.filter { isMember($0, of: place) } }

    private func step() {
        let action = input.number(below: 16)
        let subscriber = input.number(below: Self.subscribers)
        switch action {
        case 0...4: subscribe(subscriber, to: topic())
        case 5...6: unsubscribe(subscriber, from: topic())
        case 7: leaveAll(subscriber)
        case 8: change(subscriber, to: input.element(of: [.keepsUp, .behind, .leaving]))
        case 9: retain(topic(), by: subscriber)
        case 10:
            let choice = topic()
            let isCleared = registry.clearRetained(choice.topic)
            require(isCleared == (retained.removeValue(forKey: choice.place) != nil), "cleared or not")
        case 11: touchMany(on: table(of: subscriber))
        case 12: checkLists(of: subscriber)
        default: if visits < 2 { publish(to: topic(), from: subscriber % Self.loops) }
        }
    }

    private func subscribe(_ subscriber: Int, to choice: Choice) {
        let (topic, place) = (choice.topic, choice.place)
        let isMember = isMember(subscriber, of: place)
        let isFull = members[subscriber].count == Self.topicsPerSubscriber
        let result = table(of: subscriber).subscribe(
            pointer(subscriber), memberships: &lists[subscriber], to: topic, standing: standings[subscriber])
        require(result == (isMember ? .already : isFull ? .tooMany : .added), "\(result) to \(topic)")
        guard result == .added else { return }
        let table = table(of: subscriber)
        require(table.topics(of: lists[subscriber]).last == topic, "another newest topic")
        table.noteVariants(1 << UInt8(subscriber % 4), of: lists[subscriber])
        require(table.takeRetained(by: lists[subscriber]) == retained[place], "another message is retained")
        members[subscriber].append(Member(place: place, floor: table.entry(for: topic).retainedCount))
    }

    private func unsubscribe(_ subscriber: Int, from choice: Choice) {
        let index = members[subscriber].firstIndex { $0.place == choice.place }
        let result = table(of: subscriber).unsubscribe(
            memberships: &lists[subscriber], from: choice.topic, standing: standings[subscriber])
        require(result == (index != nil), "unsubscribed or not from \(choice.topic)")
        guard let index else { return }
        members[subscriber].remove(at: index)
        departed.insert(departure(subscriber, choice.place))
    }

    private func leaveAll(_ subscriber: Int) {
        table(of: subscriber).unsubscribeAll(memberships: &lists[subscriber], standing: standings[subscriber])
        for place in Self.places { departed.insert(departure(subscriber, place)) }
        members[subscriber] = []
        require(lists[subscriber].isEmpty, "memberships are left")
    }

    private func change(_ subscriber: Int, to standing: Standing) {
        var told: [Topic] = []
        table(of: subscriber).change(lists[subscriber], from: standings[subscriber], to: standing) { topic, count in
            told.append(topic)
            _ = count
        }
        let isCountChanged = (standings[subscriber] == .leaving) != (standing == .leaving)
        require(told == (isCountChanged ? topics(of: subscriber).reversed() : []), "told of \(told)")
        standings[subscriber] = standing
    }

    private func retain(_ choice: Choice, by subscriber: Int) {
        let frame = [UInt8](repeating: input.byte(), count: 1 + input.number(below: 24))
        let entry = table(of: subscriber).entry(for: choice.topic)
        let before = entry.retainedCount
        let (stamp, isKept) = registry.retain(frame, in: entry)
        require(stamp == before && entry.retainedCount == before + 1, "numbered \(stamp) behind \(before)")
        retained[choice.place] = nil
        let isRoom = retained.count < 3 && retained.values.reduce(frame.count) { $0 + $1.count } <= 40
        require(isKept == isRoom, "kept or not")
        if isRoom { retained[choice.place] = frame }
        require(
            registry.retained == (retained.count, retained.values.reduce(0) { $0 + $1.count }), "\(registry.retained)")
    }

    /// So many topics without subscribers that, twice, a table forgets them.
    private func touchMany(on table: SubscriptionTable) {
        for _ in 0..<4 {
            touched = (touched + 1) % Self.idleTopics.count
            _ = table.entry(for: Self.idleTopics[touched])
        }
    }

    private func checkLists(of subscriber: Int) {
        let table = table(of: subscriber)
        require(table.topics(of: lists[subscriber]) == topics(of: subscriber), "other topics")
        require(table.topicCount(of: lists[subscriber]) == members[subscriber].count, "another count of topics")
        for (topic, place) in zip(Self.topics, Self.places) {
            let isSubscribed = table.isSubscribed(lists[subscriber], to: topic)
            require(isSubscribed == isMember(subscriber, of: place), "subscribed or not to \(topic)")
        }
    }

    /// Visits on every interested loop, with steps on the way.
    private func publish(to choice: Choice, from loop: Int) {
        let all = subscribers(of: choice.place)
        let entry = tables[loop].entry(for: choice.topic)
        require(entry.subscriberCount == all.count { standings[$0] != .leaving }, "another number of subscribers")
        var interested: [Int] = []
        entry.forEachInterestedLoop { interested.append($0) }
        for loop in 0..<Self.loops {
            let local = all.filter { $0 % Self.loops == loop }
            let counted = local.filter { standings[$0] != .leaving }
            let behind = local.count { standings[$0] == .behind }
            require(interested.contains(loop) == !counted.isEmpty, "interest of loop \(loop)")
            require(entry.isInterested(loop) == !counted.isEmpty, "interest of loop \(loop)")
            require(entry.isBehind(loop) == (behind > 0), "loop \(loop) is behind or not")
            require(tables[loop].behindCount(of: entry) == behind, "another number behind on \(loop)")
            require(tables[loop].localMemberCount(of: entry) == local.count, "another number of members on \(loop)")
            require(tables[loop].localSubscriberCount(of: entry) == counted.count, "another number on \(loop)")
            let variants = local.reduce(0 as UInt8) { $0 | 1 << UInt8($1 % 4) }
            require(entry.variants(of: loop) & variants == variants, "variants of loop \(loop)")
            require(!local.isEmpty || entry.variants(of: loop) == 0, "variants for nobody on \(loop)")
        }
        require(interested == interested.sorted(), "loops in no order")
        for loop in 0..<Self.loops {
            if visits == 0 { checkFloors(choice.place, entry, on: loop) }
            visit(choice.place, entry, on: loop)
        }
    }

    /// Each stamp reaches those who subscribed before it.
    private func checkFloors(_ place: Int, _ entry: TopicEntry, on loop: Int) {
        let count = entry.retainedCount
        for stamp in [0, count / 2, count] {
            let reached = tables[loop].subscribers(of: entry, stamp: stamp)
            let expected = stride(from: loop, to: Self.subscribers, by: Self.loops).filter { subscriber in
                members[subscriber].contains { $0.place == place && $0.floor <= stamp }
            }
            require(Set(reached) == Set(expected.map(pointer)) && reached.count == expected.count, "stamp \(stamp)")
            if tables[loop].isForAll(entry, stamp: stamp) {
                require(expected.count == tables[loop].localMemberCount(of: entry), "not for all: \(stamp)")
            }
        }
    }

    private func visit(_ place: Int, _ entry: TopicEntry, on loop: Int) {
        let before = Set(subscribers(of: place).filter { $0 % Self.loops == loop })
        if visits == 0 { departed = [] }
        var visited: Set<Int> = []
        visits += 1
        tables[loop].forEachSubscriber(of: entry) { visitor in
            let subscriber = Int(bitPattern: visitor) / 16 - 1
            require(visited.insert(subscriber).inserted, "\(subscriber) is visited twice")
            let hasLeft = departed.contains(departure(subscriber, place))
            require(before.contains(subscriber) || hasLeft, "\(subscriber) came later")
            require(isMember(subscriber, of: place), "\(subscriber) is gone")
            if input.number(below: 3) == 1 { step() }
        }
        visits -= 1
        let missed = before.subtracting(visited).filter { !departed.contains(departure($0, place)) }
        require(missed.isEmpty, "\(missed) were passed over, and had not left")
    }

    /// What is listed is what the model says; once all have left, nothing is kept.
    private func finish() {
        let listed = Dictionary(uniqueKeysWithValues: registry.list().map { (Topic($0.topic), $0.subscribers) })
        var expected: [Topic: Int] = [:]
        for subscriber in members.indices where standings[subscriber] != .leaving {
            for topic in topics(of: subscriber) { expected[topic, default: 0] += 1 }
        }
        require(listed == expected, "listed: \(listed), and there are \(expected)")
        for subscriber in members.indices {
            checkLists(of: subscriber)
            leaveAll(subscriber)
        }
        require(registry.list().isEmpty && tables.allSatisfy { $0.memberships.slotCount == 0 }, "something is left")
    }
}
