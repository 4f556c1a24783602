import Testing

@testable import PubSub

@Suite struct TopicTests {
    @Test func `a topic is written as a literal, with values in it`() {
        let room = 7
        let topic: Topic = "room/\(room)"
        #expect(topic == Topic("room/7") && topic.description == "room/7")
    }

    @Test func `a topic has between 1 and 1024 bytes of UTF-8`() {
        #expect(!Topic("").isValid)
        #expect(Topic("a").isValid)
        #expect(Topic(String(repeating: "é", count: 512)).isValid)
        #expect(!Topic(String(repeating: "é", count: 512) + "a").isValid)
    }
}
