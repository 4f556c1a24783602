import Testing

@testable import PubSub

@Suite struct RetainTests {
    let registry = TopicRegistry(loopCount: 2, retainedTopics: 2, retainedBytes: 10)

    /// Retains as a thread that is no loop does.
    @discardableResult
    func retain(_ bytes: [UInt8], _ topic: Topic) -> (stamp: UInt64, isKept: Bool) {
        let entry = registry.entry(for: topic)
        defer { registry.relinquish(entry) }
        return registry.retain(bytes, in: entry)
    }

    /// Subscribes and takes what is retained.
    func subscribe(_ table: SubscriptionTable, _ subscriber: Int, _ list: inout MembershipList, _ topic: Topic)
        -> [UInt8]?
    {
        let address = unsafe UnsafeMutableRawPointer(bitPattern: subscriber)!
        #expect(unsafe table.subscribe(address, memberships: &list, to: topic) == .added)
        return table.takeRetained(by: list)
    }

    @Test func `the last frame of a topic outlives everybody who uses it`() {
        #expect(retain([1], "t").isKept)
        #expect(retain([2, 2], "t").isKept)
        #expect(registry.count == 1)
        #expect(registry.retained == (1, 2))
        let table = SubscriptionTable(loop: 0, registry: registry)
        var list = MembershipList.empty
        #expect(subscribe(table, 8, &list, "t") == [2, 2])
        #expect(subscribe(table, 8, &list, "u") == nil)
        table.unsubscribeAll(memberships: &list)
    }

    @Test func `a topic that is cleared leaves nothing behind`() {
        retain([1], "t")
        #expect(registry.clearRetained("t"))
        #expect(!registry.clearRetained("t"))
        #expect(registry.count == 0)
        #expect(registry.retained == (0, 0))
    }

    @Test func `topics and bytes are bounded, and what does not fit takes the older one with it`() {
        #expect(retain([1], "a").isKept)
        #expect(retain([2], "b").isKept)
        #expect(!retain([3], "c").isKept)
        #expect(registry.retained == (2, 2))
        #expect(retain([UInt8](repeating: 0, count: 9), "a").isKept)
        #expect(!retain([4, 4], "b").isKept, "the last message of b is no longer what was retained")
        #expect(registry.retained == (1, 9))
        #expect(registry.count == 1)
    }

    @Test(arguments: [1 << 31, 1 << 32, 1 << 40] as [UInt64])
    func `who subscribed very many retained messages ago still gets those on their way`(count: UInt64) {
        let table = SubscriptionTable(loop: 1, registry: registry)
        var lists = [MembershipList](repeating: .empty, count: 3)
        retain([1], "t")
        #expect(subscribe(table, 8, &lists[0], "t") == [1])
        let entry = table.entry(for: "t")
        entry.countRetained(count)
        #expect(subscribe(table, 16, &lists[1], "t") == [1])
        let between = retain([2], "t").stamp
        #expect(subscribe(table, 24, &lists[2], "t") == [2])
        let pointers = unsafe [8, 16, 24].map { unsafe UnsafeMutableRawPointer(bitPattern: $0)! }
        #expect(unsafe table.subscribers(of: entry, stamp: between) == Array(pointers[..<2]))
        #expect(unsafe table.subscribers(of: entry, stamp: between - 1) == Array(pointers[..<1]))
        #expect(unsafe table.subscribers(of: entry, stamp: between + 1) == pointers)
        for index in lists.indices { table.unsubscribeAll(memberships: &lists[index]) }
    }

    @Test func `a frame on its way is for those who subscribed before it`() {
        let table = SubscriptionTable(loop: 1, registry: registry)
        var (early, late) = (MembershipList.empty, MembershipList.empty)
        #expect(subscribe(table, 8, &early, "t") == nil)
        let plain = table.entry(for: "t").retainedCount
        let first = retain([1], "t").stamp
        #expect(table.isForAll(table.entry(for: "t"), stamp: first), "nobody subscribed later")
        #expect(subscribe(table, 16, &late, "t") == [1])
        let second = retain([2], "t").stamp
        let entry = table.entry(for: "t")
        let pointers = unsafe [8, 16].map { unsafe UnsafeMutableRawPointer(bitPattern: $0)! }
        for stamp in [plain, first] {
            #expect(!table.isForAll(entry, stamp: stamp))
            #expect(unsafe table.subscribers(of: entry, stamp: stamp) == [pointers[0]])
        }
        for stamp in [second, entry.retainedCount] {
            #expect(table.isForAll(entry, stamp: stamp))
            #expect(unsafe table.subscribers(of: entry, stamp: stamp) == pointers)
        }
        table.unsubscribeAll(memberships: &early)
        table.unsubscribeAll(memberships: &late)
    }
}
