import Ringcast
import Testing

@testable import RingcastCluster

@Suite struct OutboxTests {
    @Test func `what waits is bounded, and says when it is much`() {
        let outbox = Outbox(byteLimit: 100)
        func add(_ count: Int) -> BackplaneResult { outbox.add { $0 += [UInt8](repeating: 1, count: count) }.result }
        #expect([add(40), add(20), add(39), add(1), add(1)] == [.accepted, .waiting, .waiting, .waiting, .dropped])
        let (bytes, count) = outbox.take()
        #expect(bytes.count == 100 && count == 4 && outbox.isEmpty)
        #expect(add(1) == .accepted && outbox.close() == 1 && add(1) == .dropped)
    }

    @Test func `the loop is asked once until it has looked`() {
        let outbox = Outbox(byteLimit: 100)
        #expect(outbox.add { $0.append(1) }.isFirst && !outbox.add { $0.append(1) }.isFirst)
        _ = outbox.take()
        #expect(outbox.add { $0.append(1) }.isFirst)
        let interests = InterestOutbox()
        #expect(!interests.add(true, in: "a") && interests.isEmpty, "the engine is away")
        interests.restart { [] }
        #expect(interests.add(true, in: "a") && !interests.add(true, in: "b"))
        #expect(interests.take(1).map(\.topic) == ["a"] && !interests.add(true, in: "c"), "b waits still")
        #expect(interests.take(9).map(\.topic) == ["b", "c"] && interests.add(true, in: "d"))
    }

    @Test func `of each topic the last word is said`() {
        let interests = InterestOutbox()
        interests.restart { [] }
        for (topic, isInterested) in [("a", true), ("b", true), ("a", false), ("b", false), ("b", true)] {
            _ = interests.add(isInterested, in: Topic(topic))
        }
        #expect(interests.take(9).map { "\($0.topic) \($0.isInterested)" } == ["a false", "b true"])
        interests.restart { ["x", "y"] }
        #expect(interests.take(9).map { "\($0.topic) \($0.isInterested)" } == ["x true", "y true"])
        #expect(interests.isEmpty)
    }

    @Test func `what is said while all topics are told is newer than these`() {
        let interests = InterestOutbox()
        interests.restart {
            _ = interests.add(false, in: "x")
            _ = interests.add(true, in: "z")
            return ["x", "y"]
        }
        #expect(interests.take(9).map { "\($0.topic) \($0.isInterested)" } == ["x false", "z true", "y true"])
        _ = interests.add(true, in: "a")
        interests.suspend()
        #expect(interests.isEmpty && interests.take(9).isEmpty)
    }
}
