import Testing

@testable import Ringcast

@Suite struct BacklogTests {
    static func drain(_ backlog: inout Backlog) -> [UInt8] {
        var taken: [UInt8] = []
        while let entry = backlog.popFirst() { taken.append(entry.bytes[0]) }
        return taken
    }

    @Test func `it keeps the order and counts its bytes`() {
        var backlog = Backlog()
        backlog.append([1, 1], .direct)
        backlog.append([2], .topic)
        backlog.append([3], .direct)
        #expect(backlog.byteCount == 4 && backlog.count == 3 && backlog.topicFrameCount == 1)
        #expect(Self.drain(&backlog) == [1, 2, 3])
        #expect(backlog.isEmpty && backlog.byteCount == 0 && backlog.topicFrameCount == 0)
    }

    @Test func `only frames that may be evicted for any newer one are, the oldest first`() {
        var backlog = Backlog()
        backlog.append([1], .direct)
        backlog.append([2, 2], .oldest)
        backlog.append([3], .latest("t"))
        backlog.append([4], .topic)
        backlog.append([5], .oldest)
        backlog.append([6], .direct)
        #expect(backlog.evictOldest()?.count == 2)
        #expect(backlog.evictOldest()?.count == 1)
        #expect(backlog.evictOldest() == nil)
        #expect(Self.drain(&backlog) == [1, 3, 4, 6])
    }

    @Test func `of each topic the newest can be replaced, at the end`() {
        var backlog = Backlog()
        backlog.append([1], .latest("a"))
        backlog.append([2], .latest("b"))
        #expect(backlog.latestByteCount(of: "a") == 1)
        backlog.evictLatest(of: "a")
        #expect(backlog.latestByteCount(of: "a") == nil)
        backlog.append([3, 3], .latest("a"))
        #expect(backlog.latestByteCount(of: "a") == 2)
        #expect(Self.drain(&backlog) == [2, 3])
        #expect(backlog.latestByteCount(of: "b") == nil)
    }

    @Test func `an older frame of a topic leaves, and the newest can still be replaced`() {
        var backlog = Backlog()
        backlog.append([1], .latest("t"))
        backlog.append([2, 2], .latest("t"))
        #expect(backlog.popFirst()?.bytes == [1])
        #expect(backlog.latestByteCount(of: "t") == 2 && backlog.evictLatest(of: "t") == [2, 2])
    }

    @Test func `who falls behind keeps of each topic the newest, where it stands`() {
        var backlog = Backlog()
        for number: UInt8 in 0..<100 { backlog.append([number], .latest(number % 2 == 0 ? "a" : "b")) }
        backlog.append([100], .direct)
        backlog.append([101], .oldest)
        #expect(backlog.evictSuperseded() == (0..<98).map { [$0] })
        #expect(backlog.evictSuperseded().isEmpty)
        #expect(backlog.latestByteCount(of: "a") == 1)
        backlog.append([102, 102], .latest("c"))
        #expect(backlog.byteCount == 6 && backlog.memory == 6 + 5 * Backlog.entryCost)
        #expect(Self.drain(&backlog) == [98, 99, 100, 101, 102])
        #expect(backlog.memory == 0)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a simple list does the same`(seed: UInt64) {
        var state = seed
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var backlog = Backlog()
        var model: [(number: Int, kind: Int, topic: Int)] = []
        for number in 0..<20_000 {
            switch random(8) {
            case 0...3:
                let (kind, topic) = (Int(random(3)), Int(random(5)))
                if kind == 2 {
                    backlog.evictLatest(of: Topic("\(topic)"))
                    model.removeAll { $0.kind == 2 && $0.topic == topic }
                }
                let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
                backlog.append(bytes, [.direct, .oldest, .latest(Topic("\(topic)"))][kind])
                model.append((number, kind, topic))
            case 4, 5:
                let index = model.firstIndex { $0.kind == 1 }
                #expect((backlog.evictOldest() == nil) == (index == nil))
                if let index { model.remove(at: index) }
            default:
                let first = backlog.popFirst()?.bytes.enumerated().reduce(0) { $0 | Int($1.element) << ($1.offset * 8) }
                #expect(first == (model.isEmpty ? nil : model.removeFirst().number), "seed \(seed)")
            }
            #expect(backlog.count == model.count && backlog.byteCount == 4 * model.count, "seed \(seed)")
        }
    }
}
