import Testing

@testable import PubSub

@Suite struct RecentTopicsTests {
    @Test(arguments: ["room/1", "a room whose name takes memory of its own", "raum/ä"])
    func `a topic that is asked for again is known, until indices change`(_ name: String) {
        let recent = RecentTopics()
        let topic = Topic(name)
        var found: [Int?] = []
        for _ in 0..<3 {
            found.append(recent.index(of: topic))
            if found.last == .some(nil) { recent.note(topic, at: 7) }
        }
        recent.removeAll()
        found.append(recent.index(of: topic))
        #expect(found == [nil, nil, 7, nil], "the first time it may be a name that is made for one publish")
    }

    @Test func `names that are made for one publish push out none that stays`() {
        let recent = RecentTopics()
        let topic = Topic("a room whose name takes memory of its own")
        for _ in 0..<2 { recent.note(topic, at: 7) }
        var kept: [Topic] = []
        for number in 0..<1_000 {
            kept.append(Topic("a room that is known by its number, \(number)"))
            recent.note(kept[number], at: number)
        }
        let found = recent.index(of: topic)
        #expect(found == 7)
    }

    @Test func `a table gives each topic its own entry, whatever it has forgotten meanwhile`() {
        let registry = TopicRegistry(loopCount: 1)
        let table = SubscriptionTable(loop: 0, registry: registry, idleTopicLimit: 8)
        var random = SystemRandomNumberGenerator()
        // The last two are one topic, spelled in two ways.
        var topics = (0..<40).map { Topic($0.isMultiple(of: 2) ? "room/\($0)" : "a room of a long name, number \($0)") }
        topics += ["caf\u{E9}", "cafe\u{301}"]
        for _ in 0..<5_000 {
            let topic = topics.randomElement(using: &random)!
            for _ in 0..<3 { #expect(table.entry(for: topic).topic == topic) }
        }
        #expect(table.entry(for: topics[40]) === table.entry(for: topics[41]))
    }
}
