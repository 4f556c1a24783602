import Testing

@testable import Ringcast

@Suite struct SizeTests {
    @Test func `an idle socket costs no more than this beside its connection`() {
        #expect(MemoryLayout<SessionState>.size <= 168)
        #expect(SessionLayout(dataOf: Void.self).byteCount <= 168)
        #expect(SessionLayout(dataOf: Int.self).byteCount <= 176)
    }

    @Test func `a loop's counters are as many words as are published`() {
        var counters = LoopCounters()
        (counters.messagesIn, counters.backpressureEvents) = (1, 2)
        let published = PublishedCounters()
        published.store(counters)
        #expect(MemoryLayout<LoopCounters>.size == 25 * MemoryLayout<UInt64>.size)
        #expect(published.load().messagesIn == 1)
        #expect(published.load().backpressureEvents == 2)
    }

    @Test func `the data of a socket is aligned as its type asks`() {
        struct Wide { var vector = SIMD16<Double>() }
        let layout = SessionLayout(dataOf: Wide.self)
        #expect(layout.alignment >= MemoryLayout<Wide>.alignment)
        #expect(layout.dataOffset.isMultiple(of: MemoryLayout<Wide>.alignment))
        #expect(layout.dataOffset >= MemoryLayout<SessionState>.size)
    }

    @Test func `a handle is one word`() {
        #expect(MemoryLayout<WebSocket<String>>.size == 8)
        #expect(MemoryLayout<WebSocketRef<String>>.size == 8)
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), (String(repeating: "é", count: 100), 122), (String(repeating: "👨‍👩‍👧", count: 10), 108),
    ])
    func `a reason is cut to 123 bytes at a character's end`(_ reason: String, _ count: Int) {
        #expect(reason.prefix(utf8Count: 123).utf8.count == count)
    }
}
