import PubSub
import Testing
import WebSocketProtocol

@testable import Ringcast

@Suite struct TopicRuleTests {
    @Test(arguments: [
        ("room", ["room"], ["rooms", "roo", "Room", "room/", "a room"]),
        ("room/*", ["room/", "room/1", "room/1/2", "room/*"], ["room", "rooms/1", "a/room/1", "ROOM/1"]),
        ("*", ["room", "*", "ö", "/"], []),
        ("a*b", ["a*b"], ["ab", "axb", "a*bc"]),
        ("**", ["*", "*x"], ["x*"]),
        ("é*", ["é", "e\u{301}/1"], ["e", "e/1"]),
    ])
    func `a pattern is a name, or the beginning of names`(_ pattern: String, _ matching: [Topic], _ others: [Topic]) {
        let rule = TopicRule.matching(pattern)
        #expect(matching.allSatisfy(rule.matches))
        #expect(!others.contains(where: rule.matches))
    }

    @Test func `an empty pattern is a programming error`() async {
        await #expect(processExitsWith: .failure) { _ = TopicRule.matching("") }
    }

    private static let policies: [SlowConsumerPolicy] = [
        .dropNewest, .dropOldest, .latest, .close(.tryAgainLater), .close(CloseCode(rawValue: 4_999)),
    ]

    @Test func `order and policy share a word, and no bit of it`() {
        #expect(TopicOrder.mask & SlowConsumerPolicy.mask == 0)
        for policy in Self.policies {
            #expect(policy.word & ~SlowConsumerPolicy.mask == 0)
            for order in [TopicOrder.perPublisher, .total] {
                #expect(order.word & ~TopicOrder.mask == 0)
                #expect(SlowConsumerPolicy(word: policy.word | order.word) == policy)
                #expect(TopicOrder(word: policy.word | order.word) == order)
            }
        }
    }

    private static func settings(_ topic: Topic, _ configuration: ServerConfiguration) -> [String] {
        let word = configuration.policyWord(of: topic)
        return ["\(TopicOrder(word: word))", "\(SlowConsumerPolicy(word: word))"]
    }

    @Test func `the first rule that says something of a matter decides it`() {
        var configuration = ServerConfiguration(
            topics: [
                .matching("a/*", order: .total), .matching("a/b", order: .perPublisher, slowConsumerPolicy: .latest),
                .matching("b", slowConsumerPolicy: .dropOldest), .matching("b", order: .total),
            ])
        #expect(Self.settings("a/b", configuration) == ["total", "latest"])
        #expect(Self.settings("a/c", configuration) == ["total", "dropNewest"])
        #expect(Self.settings("b", configuration) == ["total", "dropOldest"])
        #expect(Self.settings("c", configuration) == ["perPublisher", "dropNewest"])
        configuration.slowConsumerPolicy = .dropOldest
        #expect(Self.settings("a/c", configuration) == ["total", "dropOldest"], "the server's own comes last")
        configuration.topics.append(.matching("*", order: .perPublisher, slowConsumerPolicy: .latest))
        #expect(Self.settings("a/c", configuration) == ["total", "latest"])
        #expect(Self.settings("c", configuration) == ["perPublisher", "latest"])
    }

    @Test func `what is set for one topic goes before the rules, one matter apart from the other`() throws {
        let server = try Server(
            configuration: ServerConfiguration(
                hostname: "127.0.0.1", port: 0, loops: .count(1),
                topics: [.matching("*", order: .total, slowConsumerPolicy: .latest)])
        ) { _ in .response(.ok) }
        func settings() -> [String] { ["\(server.order(of: "t"))", "\(server.slowConsumerPolicy(of: "t"))"] }
        #expect(settings() == ["total", "latest"])
        server.setOrder(.perPublisher, for: "t")
        #expect(settings() == ["perPublisher", "latest"])
        server.setSlowConsumerPolicy(.dropOldest, for: "t")
        #expect(settings() == ["perPublisher", "dropOldest"])
        server.setOrder(nil, for: "t")
        #expect(settings() == ["total", "dropOldest"])
        server.setSlowConsumerPolicy(nil, for: "t")
        #expect(settings() == ["total", "latest"])
        #expect(server.order(of: "u") == .total, "another topic")
    }
}
