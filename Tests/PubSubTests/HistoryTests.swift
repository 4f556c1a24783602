import Testing

@testable import PubSub

/// Histories of a registry with one loop, which is every topic's home.
@Suite struct HistoryTests {
    /// 256 bytes of memory, as `SharedFrame.memory` counts.
    private static let frameByteCount = 200

    private static func registry(
        messages: Int = 3, bytes: Int = .max, age: UInt64? = nil, all: Int = .max
    ) -> TopicRegistry {
        TopicRegistry(
            loopCount: 1, historyBytes: all,
            history: { $0.name == "plain" ? nil : HistoryRule(messages: messages, bytes: bytes, age: age) })
    }

    private static func publish(
        _ byte: UInt8, to topic: Topic, in table: SubscriptionTable, retain: Bool = false, now: UInt64 = 0
    ) {
        let entry = table.entry(for: topic)
        let frame = unsafe SharedFrame.allocate(
            byteCount: frameByteCount, owners: 1, topic: entry, stamp: entry.retainedCount
        ) { unsafe $0.initializeMemory(as: UInt8.self, repeating: byte) }
        table.registry.keep(frame, of: entry.history!, in: entry, retain: retain, now: now)
        frame.release()
    }

    /// Subscribes and leaves again.
    private static func resume(
        _ topic: Topic, after position: Position?, in table: SubscriptionTable, now: UInt64 = 0
    ) -> (Resumption, [UInt8], retained: UInt8?)? {
        var list = MembershipList.empty
        defer { table.unsubscribeAll(memberships: &list) }
        let subscriber = unsafe UnsafeMutableRawPointer(bitPattern: 16)!
        guard unsafe table.subscribe(subscriber, memberships: &list, to: topic) == .added else { return nil }
        guard let replay = table.takeReplay(by: list, after: position, now: now) else { return nil }
        let bytes = replay.frames.map { unsafe $0.bytes[0] }
        for frame in replay.frames { frame.release() }
        return (replay.resumption, bytes, replay.retained?.first)
    }

    private static func position(_ offset: UInt64, of topic: Topic, in table: SubscriptionTable) -> Position {
        Position(epoch: table.entry(for: topic).history!.epoch, offset: offset)
    }

    @Test func `who resumes gets what came behind its position, in order, and hears if something is gone`() throws {
        let table = SubscriptionTable(loop: 0, registry: Self.registry(messages: 3))
        for byte in 1...5 { Self.publish(UInt8(byte), to: "t", in: table) }
        let expected: [(UInt64, Resumption, [UInt8])] = [
            (0, .gap, []), (1, .gap, []), (2, .resumed(3), [3, 4, 5]), (4, .resumed(1), [5]), (5, .resumed(0), []),
            (6, .gap, []), (.max, .gap, []),
        ]
        for (offset, resumption, bytes) in expected {
            let result = try #require(
                Self.resume("t", after: Self.position(offset, of: "t", in: table), in: table))
            #expect(result.0 == resumption && result.1 == bytes, "after \(offset)")
        }
        let oldest = try #require(Self.resume("t", after: .oldest, in: table))
        #expect(oldest.0 == .resumed(3) && oldest.1 == [3, 4, 5])
        let new = try #require(Self.resume("t", after: nil, in: table))
        #expect(new.0 == .new && new.1.isEmpty)
        let other = Self.position(4, of: "u", in: table)
        #expect(try #require(Self.resume("t", after: other, in: table)).0 == .gap)
        #expect(Self.resume("plain", after: nil, in: table) == nil)
    }

    @Test func `bytes and age are bounds, too`() throws {
        let table = SubscriptionTable(loop: 0, registry: Self.registry(messages: 10, bytes: 600, age: 1_000))
        for byte in 1...4 { Self.publish(UInt8(byte), to: "t", in: table, now: UInt64(byte) * 500) }
        #expect(try #require(Self.resume("t", after: .oldest, in: table, now: 2_000)).1 == [3, 4])
        #expect(try #require(Self.resume("t", after: .oldest, in: table, now: 2_501)).1 == [4])
        let entry = table.entry(for: "t")
        #expect(entry.history?.size.messages == 1)
        #expect(try #require(Self.resume("t", after: .oldest, in: table, now: 9_999)).1.isEmpty)
        #expect(entry.history.map { $0.size } ?? (1, 1) == (0, 0))
        #expect(try #require(Self.resume("t", after: Self.position(4, of: "t", in: table), in: table)).0 == .resumed(0))
        #expect(try #require(Self.resume("t", after: Self.position(3, of: "t", in: table), in: table)).0 == .gap)
    }

    @Test func `a message that is larger than all bounds is numbered and not kept`() throws {
        let table = SubscriptionTable(loop: 0, registry: Self.registry(bytes: 100))
        Self.publish(1, to: "t", in: table)
        #expect(table.entry(for: "t").history?.position?.offset == 1)
        #expect(try #require(Self.resume("t", after: .oldest, in: table)).1.isEmpty)
    }

    @Test func `a topic that keeps something is not forgotten, and its numbering has a name of its own`() {
        let registry = Self.registry()
        var table = SubscriptionTable(loop: 0, registry: registry)
        Self.publish(1, to: "t", in: table)
        let epoch = table.entry(for: "t").history!.epoch
        #expect(table.entry(for: "u").history!.epoch != epoch)
        table = SubscriptionTable(loop: 0, registry: registry)
        #expect(registry.count == 1 && table.entry(for: "t").history?.epoch == epoch)
        #expect(registry.forgetHistory(of: "t") == 1 && registry.forgetHistory(of: "t") == 0)
        table = SubscriptionTable(loop: 0, registry: registry)
        #expect(registry.count == 0 && table.entry(for: "t").history?.epoch != epoch)
    }

    @Test func `where all keep too much, the topic that was used the longest time ago goes first`() throws {
        // Each topic's 3 messages and its entry take 1,280 bytes.
        let registry = Self.registry(all: 4_000)
        let table = SubscriptionTable(loop: 0, registry: registry)
        for (time, topic) in (["a", "b", "c"] as [Topic]).enumerated() {
            for byte in 1...3 { Self.publish(UInt8(byte), to: topic, in: table, now: UInt64(time)) }
        }
        #expect(registry.histories.topics == 3)
        // "a" is read, so that "b" is the one that waits the longest.
        _ = Self.resume("a", after: .oldest, in: table, now: 3)
        for byte in 1...3 { Self.publish(UInt8(byte), to: "d", in: table, now: 4) }
        let kept = (["a", "b", "c", "d"] as [Topic]).map { table.entry(for: $0).history!.size.messages }
        #expect(kept == [3, 0, 3, 3] || kept == [3, 0, 0, 3], "\(kept)")
        #expect(registry.histories.bytes <= 4_000)
        let result = try #require(Self.resume("b", after: Self.position(2, of: "b", in: table), in: table))
        #expect(result.0 == .gap)
    }

    @Test func `a retained message comes to those without a position, and once`() throws {
        let table = SubscriptionTable(loop: 0, registry: Self.registry())
        Self.publish(1, to: "t", in: table, retain: true)
        Self.publish(2, to: "t", in: table)
        #expect(try #require(Self.resume("t", after: nil, in: table)).retained == 1)
        let resumed = try #require(Self.resume("t", after: Self.position(0, of: "t", in: table), in: table))
        #expect(resumed.1 == [1, 2] && resumed.retained == nil)
    }

    @Test func `frames that are kept go with the registry`() {
        weak var entry: TopicEntry?
        do {
            let table = SubscriptionTable(loop: 0, registry: Self.registry())
            Self.publish(1, to: "t", in: table)
            entry = table.entry(for: "t")
            #expect(entry != nil)
        }
        #expect(entry == nil)
    }

    @Test func `a hundred messages of 200 bytes take less than 30 KB`() {
        let table = SubscriptionTable(loop: 0, registry: Self.registry(messages: 100))
        for _ in 0..<1_000 { Self.publish(1, to: "t", in: table) }
        let size = table.entry(for: "t").history!.size
        #expect(size.messages == 100 && size.bytes == 25_600)
    }
}
